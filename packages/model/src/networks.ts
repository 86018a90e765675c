import type { Snapshot, k8s } from '@mizzen/api';
import type { Labels } from './labels.ts';
import { CLUSTER_LABEL, NETWORK_LABEL } from './localities.ts';
import type { NetworkGateway, Service } from './types.ts';

const GATEWAY_PORT = 'networking.istio.io/gatewayPort';
const DEFAULT_PORT = 15443;

/** The network of whatever says nothing about its own: that of the mesh's root namespace. */
export function defaultNetwork(snapshot: Snapshot, rootNamespace: string): string {
  return snapshot.get('Namespace', '', rootNamespace)?.metadata.labels?.[NETWORK_LABEL] ?? '';
}

/** Services labelled with a network are its gateways, at each of their addresses outside of the cluster. */
export function networkGateways(services: readonly Service[], cluster: string): NetworkGateway[] {
  return services.flatMap(({ registry, labels, resource }) => {
    const network = labels[NETWORK_LABEL] ?? '';
    if (registry !== 'Kubernetes' || network === '') return [];
    const written = Number(labels[GATEWAY_PORT] ?? '');
    const port = Number.isInteger(written) && written > 0 ? written : DEFAULT_PORT;
    return outsideAddresses(resource.spec as k8s.ServiceSpec, resource.body['status'] as Status | undefined).map(
      (address) => ({ network, cluster, address, port }),
    );
  });
}

/** As failover priorities look at a gateway. */
export function gatewayLabels({ network, cluster }: NetworkGateway): Labels {
  return { [NETWORK_LABEL]: network, [CLUSTER_LABEL]: cluster };
}

interface Status {
  readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] };
}

function outsideAddresses(spec: k8s.ServiceSpec, status: Status | undefined): string[] {
  const balanced = spec.type === 'LoadBalancer' ? (status?.loadBalancer?.ingress ?? []) : [];
  return [...balanced.map(({ ip, hostname }) => ip ?? hostname ?? ''), ...(spec.externalIPs ?? [])].filter(
    (address) => address !== '',
  );
}
