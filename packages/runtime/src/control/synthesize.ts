import type { LocalProxy, NodeMetadata } from '@mizzen/translator';
import type { JsonObject } from '@mizzen/xds';
import { podLabels } from '../kubelet/names.ts';
import type { DesiredWorkload, PodStatus } from '../protocol.ts';

/** The sidecar's HTTP proxy port, as the supervisor has it where nothing is in the way. */
const HTTP_PROXY_PORT = 15_080;

/** A pod that runs, and where it is. */
export interface RunningPod {
  readonly owner: { readonly namespace: string; readonly name: string };
  readonly name: string;
  readonly address: string;
  /** Of its sidecar. */
  readonly httpProxy?: { readonly address: string; readonly port: number } | undefined;
  /** Container port to the port of 127.0.0.1 that the application has instead. */
  readonly applicationPorts?: Readonly<Record<number, number>> | undefined;
}

/**
 * Pods as the supervisor would report them if everything asked for ran and was ready: for questions about files alone.
 * Addresses are made up, and the same for the same workloads in the same order; those of pods that run are theirs.
 */
export function synthesizePods(
  workloads: readonly DesiredWorkload[],
  gateways: readonly DesiredWorkload[],
  running: readonly RunningPod[] = [],
): PodStatus[] {
  let number = 0;
  // One address for several pods would make one of them.
  const apart = running.filter(({ address }) => address !== '127.0.0.1' && address !== '');
  const known = Map.groupBy(apart, ({ owner }) => `${owner.namespace}/${owner.name}`);
  return [
    ...workloads.flatMap((each) =>
      Array.from({ length: each.replicas }, (_, index) =>
        podOf(each, index, ++number, known.get(`${each.owner.namespace}/${each.owner.name}`)?.[index]),
      ),
    ),
    ...gateways.flatMap((each) => Array.from({ length: each.replicas }, () => gatewayOf(each))),
  ];
}

function podOf(workload: DesiredWorkload, index: number, number: number, running?: RunningPod): PodStatus {
  const { owner, sidecar, containers, tcpDestinations } = workload;
  const name = running?.name ?? (owner.kind === 'Pod' ? owner.name : `${owner.name}-${index}`);
  const host = `${number >> 8}.${number & 255}`;
  // An application of its own address is not taken for a gateway on 127.0.0.1.
  const [address, egress, application] = [running?.address ?? `127.90.${host}`, `127.91.${host}`, `127.92.${host}`];
  const applicationOf = (port: number): { applicationAddress: string; applicationPort: number } => {
    const real = running?.applicationPorts?.[port];
    return real === undefined
      ? { applicationAddress: application, applicationPort: port }
      : { applicationAddress: '127.0.0.1', applicationPort: real };
  };
  const inbound = containers
    .flatMap((each) => each.ports)
    .map(({ port }) => ({ containerPort: port, address, port, ...applicationOf(port) }));
  const outbound = tcpDestinations.map(({ port, service }) => ({
    address: egress,
    port,
    host: service,
    servicePort: port,
  }));
  const MIZZEN = {
    ...engine(workload),
    httpProxy: running?.httpProxy ?? { address: egress, port: HTTP_PROXY_PORT },
    outbound,
    inbound,
  };
  const node = `sidecar~${address}~${name}.${owner.namespace}~${owner.namespace}.svc.cluster.local`;
  return {
    ...common(workload, name, address),
    hasSidecar: sidecar,
    node: sidecar ? node : undefined,
    nodeMetadata: sidecar ? metadata(workload, name, address, { MIZZEN }) : undefined,
  };
}

function gatewayOf(workload: DesiredWorkload): PodStatus {
  const { owner, gatewayPorts = {} } = workload;
  const name = `${owner.name}-0`;
  const address = '127.0.0.1';
  const MIZZEN = { ...engine(workload), gateway: { address, ports: gatewayPorts } };
  return {
    ...common(workload, name, address),
    hasSidecar: false,
    node: `router~${address}~${name}.${owner.namespace}~${owner.namespace}.svc.cluster.local`,
    nodeMetadata: metadata(workload, name, address, { MIZZEN }),
  };
}

function engine({ engine }: DesiredWorkload): Partial<LocalProxy> {
  return engine === 'envoy' ? { engine } : {};
}

function metadata(workload: DesiredWorkload, name: string, address: string, more: NodeMetadata): JsonObject {
  const { owner, serviceAccount, annotations } = workload;
  const own: NodeMetadata = {
    NAME: name,
    NAMESPACE: owner.namespace,
    SERVICE_ACCOUNT: serviceAccount,
    LABELS: podLabels(workload, name),
    ANNOTATIONS: annotations,
    CLUSTER_ID: 'Kubernetes',
    INSTANCE_IPS: address,
    INTERCEPTION_MODE: 'NONE',
    WORKLOAD_NAME: owner.name,
    ...more,
  };
  return own as JsonObject;
}

function common(workload: DesiredWorkload, name: string, address: string) {
  const { owner, templateHash, containers } = workload;
  return {
    name,
    namespace: owner.namespace,
    owner,
    address,
    boundPorts: {},
    labels: podLabels(workload, name),
    ready: true,
    terminating: false,
    phase: 'Running' as const,
    restarts: 0,
    templateHash,
    standIn: containers.some(({ run }) => run.kind === 'stand-in'),
    engine: workload.engine,
    message: undefined,
    applicationPorts: {},
  };
}
