import type { LocalProxy, NodeMetadata } from '@mizzen/translator';
import type { JsonObject } from '@mizzen/xds';
import { podLabels } from '../kubelet/names.ts';
import type { DesiredWorkload, PodStatus } from '../protocol.ts';

/** The sidecar's HTTP proxy port, as the supervisor has it where nothing is in the way. */
const HTTP_PROXY_PORT = 15_080;

/**
 * Pods as the supervisor would report them if everything asked for ran and was ready: for questions about files alone.
 * Addresses are made up, and the same for the same workloads in the same order.
 */
export function synthesizePods(
  workloads: readonly DesiredWorkload[],
  gateways: readonly DesiredWorkload[],
): PodStatus[] {
  let number = 0;
  return [
    ...workloads.flatMap((each) => Array.from({ length: each.replicas }, (_, index) => podOf(each, index, ++number))),
    ...gateways.flatMap((each) => Array.from({ length: each.replicas }, () => gatewayOf(each))),
  ];
}

function podOf(workload: DesiredWorkload, index: number, number: number): PodStatus {
  const { owner, sidecar, containers, tcpDestinations } = workload;
  const name = owner.kind === 'Pod' ? owner.name : `${owner.name}-${index}`;
  const host = `${number >> 8}.${number & 255}`;
  // An application of its own address is not taken for a gateway on 127.0.0.1.
  const [address, egress, application] = [`127.90.${host}`, `127.91.${host}`, `127.92.${host}`];
  const inbound = containers
    .flatMap((each) => each.ports)
    .map(({ port }) => ({
      containerPort: port,
      address,
      port,
      applicationAddress: application,
      applicationPort: port,
    }));
  const outbound = tcpDestinations.map(({ port, service }) => ({
    address: egress,
    port,
    host: service,
    servicePort: port,
  }));
  const MIZZEN = { ...engine(workload), httpProxy: { address: egress, port: HTTP_PROXY_PORT }, outbound, inbound };
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
