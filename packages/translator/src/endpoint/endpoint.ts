import type { Endpoint } from '@mizzen/model';
import type { JsonObject, types } from '@mizzen/xds';

/** Metadata of endpoints of one machine: what proxies of bytes would tell each other. */
export const LOCAL_ENDPOINT = 'mizzen';

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
        ...localFields(endpoint),
      },
    },
  };
}

export function weightOf(endpoint: Endpoint): number {
  return endpoint.weight > 0 ? endpoint.weight : 1;
}

/** Where one of the two is a plain Envoy, who has to know it all from here. */
function localFields({ workload, labels }: Endpoint): Readonly<Record<string, JsonObject>> {
  if (workload?.engine === undefined) return {};
  const { app, version } = labels;
  const known = { ...(app === undefined ? {} : { app }), ...(version === undefined ? {} : { version }) };
  return Object.keys(known).length === 0 ? {} : { [LOCAL_ENDPOINT]: known };
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
