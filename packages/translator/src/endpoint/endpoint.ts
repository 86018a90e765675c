import type { Endpoint } from '@mizzen/model';
import type { types } from '@mizzen/xds';

/** One endpoint as Envoy knows it; `mtls` is for `transportSocketMatches`. */
export function lbEndpoint(endpoint: Endpoint, mtls: boolean): types.endpoint.LbEndpoint {
  const health = endpoint.checked ? ({ healthStatus: endpoint.healthy ? 'HEALTHY' : 'UNHEALTHY' } as const) : {};
  return {
    endpoint: { address: addressOf(endpoint) },
    ...health,
    loadBalancingWeight: weightOf(endpoint),
    metadata: {
      filterMetadata: {
        ...(mtls ? { 'envoy.transport_socket_match': { tlsMode: 'istio' } } : {}),
        istio: { workload: workloadText(endpoint) },
      },
    },
  };
}

export function weightOf(endpoint: Endpoint): number {
  return endpoint.weight > 0 ? endpoint.weight : 1;
}

function addressOf({ address, port }: Endpoint): types.core.Address {
  if (address.startsWith('unix://')) return { pipe: { path: address.slice('unix://'.length) } };
  return { socketAddress: { address, portValue: port } };
}

/** `workload;namespace;canonical service;canonical revision;cluster`, which Istio's telemetry reads. */
function workloadText({ workloadName, namespace, labels, cluster }: Endpoint): string {
  const service =
    labels['service.istio.io/canonical-name'] ?? labels['app.kubernetes.io/name'] ?? labels['app'] ?? workloadName;
  const revision =
    labels['service.istio.io/canonical-revision'] ?? labels['app.kubernetes.io/version'] ?? labels['version'] ?? '';
  return `${workloadName};${namespace};${service};${revision === 'latest' ? '' : revision};${cluster}`;
}
