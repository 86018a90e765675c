import type { LocalMetrics, LocalProxy } from '@mizzen/translator';
import type { DesiredContainer, DesiredWorkload } from '../protocol.ts';
import type { PodNetwork } from './addresses.ts';
import { announcedMetrics, METRICS_PORT } from './announced-metrics.ts';
import { type Bindable, PortAllocator, tryBind } from './ports.ts';
import { probePorts } from './probe-target.ts';

/** Where a pod's HTTP proxy listens, at its egress address. */
export const HTTP_PROXY_PORT = 15080;
/** Where Envoys in a cluster serve their own metrics. */
const PROXY_METRICS_PORT = 15090;

/** Every address and port of one pod. Decided before anything of it starts, and kept for its life. */
export interface PodLayout {
  /** Where endpoints of this pod point to. */
  readonly address: string;
  /** Container port → port at `address`; only where they differ. */
  readonly boundPorts: Readonly<Record<number, number>>;
  /** Container port → port of the application at `applicationAddress`. */
  readonly applicationPorts: Readonly<Record<number, number>>;
  readonly applicationAddress: string;
  /** What the sidecar is told; undefined without one. */
  readonly proxy: LocalProxy | undefined;
  /** Gives every address and port back. */
  release(): void;
}

export interface LayoutDeps {
  readonly network: PodNetwork;
  readonly ports: PortAllocator;
  readonly tryBind: (address: string, port: number) => Promise<Bindable>;
  /** Ports on 127.0.0.1 that gateways have or will have. */
  readonly reserved: ReadonlySet<number>;
}

export function layoutDeps(network: PodNetwork): Omit<LayoutDeps, 'reserved'> {
  return { network, ports: new PortAllocator(network.slot), tryBind };
}

export async function gatewayLayout(workload: DesiredWorkload, deps: LayoutDeps): Promise<PodLayout> {
  const place = await metricsPlace(deps);
  return { ...gatewayAt(workload, place.metrics), release: () => place.release() };
}

/** The same gateway with other ports; its metrics stay where they are. */
export function changedGateway(workload: DesiredWorkload, before: PodLayout): PodLayout {
  return { ...gatewayAt(workload, before.proxy?.metrics), release: () => before.release() };
}

async function metricsPlace(deps: LayoutDeps): Promise<{ readonly metrics: LocalMetrics; release(): void }> {
  const pod = deps.network.allocate();
  const port = deps.network.unique ? METRICS_PORT : await deps.ports.allocate();
  return {
    metrics: { address: pod.address, port, ...(deps.network.unique ? { proxyPort: PROXY_METRICS_PORT } : {}) },
    release: () => {
      deps.network.release(pod);
      if (!deps.network.unique) deps.ports.release(port);
    },
  };
}

function gatewayAt(workload: DesiredWorkload, metrics: LocalMetrics | undefined): Omit<PodLayout, 'release'> {
  const ports = workload.gatewayPorts ?? {};
  const moved = Object.entries(ports).filter(([port, local]) => Number(port) !== local);
  return {
    address: '127.0.0.1',
    boundPorts: Object.fromEntries(moved),
    applicationPorts: {},
    applicationAddress: '127.0.0.1',
    proxy: { gateway: { address: '127.0.0.1', ports }, ...(metrics === undefined ? {} : { metrics }) },
  };
}

export async function podLayout(workload: DesiredWorkload, deps: LayoutDeps): Promise<PodLayout> {
  const pod = deps.network.allocate();
  const taken: number[] = [];
  const onLoopback = async (): Promise<number> => {
    const port = await deps.ports.allocate();
    taken.push(port);
    return port;
  };
  const release = (): void => {
    deps.network.release(pod);
    for (const port of taken) deps.ports.release(port);
  };
  /** A port at one of the pod's own addresses: the one asked for if possible. */
  const own = async (address: string, wanted: number, used: Set<number>): Promise<number> => {
    if (!deps.network.unique) return onLoopback();
    const port = await freePort(address, wanted, used, deps.tryBind);
    used.add(port);
    return port;
  };

  const applicationPorts: Record<number, number> = {};
  for (const container of workload.containers) {
    for (const port of listened(container)) {
      if (applicationPorts[port] !== undefined) continue;
      if (container.run.kind === 'external') {
        applicationPorts[port] = externalPort(port, deps);
        taken.push(applicationPorts[port]);
      } else applicationPorts[port] = await onLoopback();
    }
  }
  const declared = [...new Set(workload.containers.flatMap((c) => c.ports.map((p) => p.port)))];

  if (!workload.sidecar) {
    // Nothing stands before the application, so its endpoints are where it listens itself.
    const boundPorts = Object.fromEntries(declared.map((port) => [port, applicationPorts[port]!]));
    return {
      address: '127.0.0.1',
      boundPorts,
      applicationPorts,
      applicationAddress: '127.0.0.1',
      proxy: undefined,
      release,
    };
  }

  const boundPorts: Record<number, number> = {};
  const inbound: NonNullable<LocalProxy['inbound']>[number][] = [];
  // Those that have to move make way for those that need not.
  const usedInbound = new Set<number>();
  const bound = new Map<number, number>();
  for (const port of declared.toSorted((a, b) => Number(a < 1024) - Number(b < 1024))) {
    bound.set(port, await own(pod.address, port, usedInbound));
  }
  for (const containerPort of declared) {
    const port = bound.get(containerPort)!;
    if (port !== containerPort) boundPorts[containerPort] = port;
    inbound.push({
      containerPort,
      address: pod.address,
      port,
      applicationAddress: '127.0.0.1',
      applicationPort: applicationPorts[containerPort]!,
    });
  }

  const metrics = metricsOf(workload, applicationPorts, {
    address: pod.address,
    port: await own(pod.address, METRICS_PORT, usedInbound),
    ...(deps.network.unique ? { proxyPort: await own(pod.address, PROXY_METRICS_PORT, usedInbound) } : {}),
  });

  const usedOutbound = new Set<number>();
  const httpProxy = { address: pod.egress, port: await own(pod.egress, HTTP_PROXY_PORT, usedOutbound) };
  const outbound: NonNullable<LocalProxy['outbound']>[number][] = [];
  for (const { port: servicePort, service } of workload.tcpDestinations) {
    if (outbound.some((o) => o.host === service && o.servicePort === servicePort)) continue;
    const port = await own(pod.egress, servicePort, usedOutbound);
    outbound.push({ address: pod.egress, port, host: service, servicePort });
  }
  return {
    address: pod.address,
    boundPorts,
    applicationPorts,
    applicationAddress: '127.0.0.1',
    proxy: { httpProxy, outbound, inbound, metrics },
    release,
  };
}

/** With the application's own metrics, where its annotations say that it has some. */
function metricsOf(
  { annotations, mergeMetrics }: DesiredWorkload,
  applicationPorts: Readonly<Record<number, number>>,
  at: LocalMetrics,
): LocalMetrics {
  if (mergeMetrics === false) return at;
  const announced = announcedMetrics(annotations);
  if (announced === undefined) return at;
  const { port, path } = announced;
  return { ...at, application: { address: '127.0.0.1', port: applicationPorts[port] ?? port, path } };
}

/** A stand-in listens on its probes' ports too; a program's undeclared probe port is the program's own affair. */
function listened(container: DesiredContainer): number[] {
  const declared = container.ports.map((p) => p.port);
  return container.run.kind === 'stand-in' ? [...new Set([...declared, ...probePorts(container)])] : declared;
}

/**
 * The port asked for where it can be had. Ports below 1024 that this user may not have, or somebody else has, are 8000
 * higher; a program on 0.0.0.0 has its port at every address, so the next free one is taken then.
 */
async function freePort(
  address: string,
  wanted: number,
  used: ReadonlySet<number>,
  bind: LayoutDeps['tryBind'],
): Promise<number> {
  let port = wanted;
  if (port < 1024 && (used.has(port) || (await bind(address, port)) !== 'free')) port += 8000;
  while (used.has(port) || (await bind(address, port)) === 'taken') {
    if (++port > 65_535) throw new Error(`no free port above ${wanted} at ${address}`);
  }
  return port;
}

/** A person starts it, perhaps already has: the container port itself where nobody of ours wants it. */
function externalPort(containerPort: number, { ports, reserved }: LayoutDeps): number {
  let port = containerPort < 1024 ? containerPort + 8000 : containerPort;
  while (reserved.has(port) || !ports.claim(port)) port += port + 10_000 < 65_536 ? 10_000 : 1;
  return port;
}
