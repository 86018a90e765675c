import { type Labels, type MeshModel, fits } from '@mizzen/model';
import type { Template } from './templates.ts';

export interface GatewayPorts {
  /** Server port → port of 127.0.0.1. */
  readonly local: Readonly<Record<number, number>>;
  readonly protocols: Readonly<Record<number, string>>;
  /** Server ports that are named for metrics. */
  readonly metrics: readonly number[];
}

const MOVED_BY = 8000;
/** As ports of what Prometheus reads are called. */
const METRICS = /(^|-)(metrics|prom|monitoring)$/;

/**
 * Where gateways listen: on their servers' own ports, those below 1024 moved up by 8000, or where the person wants them.
 * All gateways share 127.0.0.1, so the first one has a port and the next free thousand goes to the others.
 */
export function gatewayPortsOf(
  model: MeshModel,
  gateways: readonly Template[],
  wanted: Readonly<Record<number, number>>,
  notices: string[],
): GatewayPorts[] {
  const servers = gateways.map((template) => serversOf(model, template));
  const local = servers.map(() => new Map<number, number>());
  // The usual entrance keeps the usual ports.
  const entrance = (index: number): number => (gateways[index]?.labels['istio'] === 'ingressgateway' ? 0 : 1);
  const order = gateways.map((_, index) => index).toSorted((a, b) => entrance(a) - entrance(b));
  const taken = new Set<number>();
  const give = (filter: (port: number) => boolean): void => {
    for (const index of order) {
      const ports = servers[index]!;
      for (const port of ports.keys()) {
        if (!filter(port) || local[index]?.has(port) === true) continue;
        const first = wanted[port] ?? (port < 1024 ? port + MOVED_BY : port);
        let free = first;
        while (taken.has(free)) free = free + 1000 > 65535 ? 1024 + (free % 1000) : free + 1000;
        taken.add(free);
        local[index]?.set(port, free);
        if (free !== first) {
          const name = gateways[index]?.owner.name;
          notices.push(
            `port ${port} of gateway \`${name}\` is on ${free}, because ${first} is taken by another server`,
          );
        }
      }
    }
  };
  give((port) => wanted[port] !== undefined);
  give((port) => port >= 1024);
  give(() => true);
  return servers.map((ports, index) => ({
    local: Object.fromEntries([...(local[index] ?? [])].toSorted(([a], [b]) => a - b)),
    protocols: Object.fromEntries([...ports].map(([port, { protocol }]) => [port, protocol])),
    metrics: [...ports].flatMap(([port, { name }]) => (METRICS.test(name) ? [port] : [])),
  }));
}

/** Host names of the Services that lead to a gateway's pods: Gateways of the Gateway API go by them. */
export function hostsOfGateway(model: MeshModel, namespace: string, labels: Labels): string[] {
  return model.services
    .filter(({ namespace: own, selector }) => own === namespace && selector !== undefined && fits(selector, labels))
    .map(({ hostname }) => hostname);
}

function serversOf(
  model: MeshModel,
  { owner, labels }: Template,
): Map<number, { readonly protocol: string; readonly name: string }> {
  const ports = new Map<number, { protocol: string; name: string }>();
  const hosts = hostsOfGateway(model, owner.namespace, labels);
  for (const gateway of model.gatewaysFor(owner.namespace, labels, hosts)) {
    for (const { port } of gateway.spec.servers ?? []) {
      if (port?.number !== undefined && !ports.has(port.number))
        ports.set(port.number, { protocol: (port.protocol ?? '').toUpperCase(), name: port.name ?? '' });
    }
  }
  return ports;
}
