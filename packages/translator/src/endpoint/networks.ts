import { isIP } from 'node:net';
import { type Endpoint, type NetworkGateway, gatewayLabels } from '@mizzen/model';
import type { ClusterPlan } from '../cluster/plan.ts';
import type { TranslationContext } from '../context.ts';
import { weightOf } from './endpoint.ts';
import type { Place, Reached } from './localities.ts';

/**
 * Split horizon: endpoints in other networks are reached through the gateways of those, by the SNI of mutual TLS; without
 * mutual TLS they are not reached at all. Every network counts as the proxy's own while nobody has gateways.
 */
export function throughGateways(
  { model, proxy }: TranslationContext,
  plan: ClusterPlan,
  places: readonly Place[],
): readonly Place[] {
  // Endpoints that are discovered have addresses, not names.
  const usable = model.networkGateways.filter(({ address }) => plan.discovery !== 'EDS' || isIP(address) !== 0);
  if (usable.length === 0) return places;
  const scale = scaleFactor(usable);
  return places.map(({ locality, reached }) => {
    const kept: Reached[] = [];
    const shares = new Map<NetworkGateway, number>();
    for (const { endpoint, mtls } of reached) {
      const weight = weightOf(endpoint) * scale;
      const gateways = gatewaysOf(usable, endpoint);
      const here = endpoint.network === '' || proxy.network === '' || endpoint.network === proxy.network;
      if (here || gateways.length === 0) {
        if (endpoint.address !== '') kept.push({ endpoint: { ...endpoint, weight }, mtls });
      } else if (mtls) {
        const share = Math.floor(weight / gateways.length);
        for (const gateway of gateways) shares.set(gateway, (shares.get(gateway) ?? 0) + share);
      }
    }
    const used = [...shares].toSorted(([a], [b]) =>
      a.address < b.address ? -1 : a.address > b.address ? 1 : a.port - b.port,
    );
    return {
      locality,
      reached: [
        ...kept,
        ...used.map(([gateway, weight]) => ({ endpoint: endpointAt(gateway, locality, weight), mtls: true })),
      ],
    };
  });
}

/** Those of the endpoint's own cluster before others of its network. */
function gatewaysOf(all: readonly NetworkGateway[], { network, cluster }: Endpoint): readonly NetworkGateway[] {
  const ofNetwork = all.filter((gateway) => gateway.network === network);
  const ofCluster = ofNetwork.filter((gateway) => gateway.cluster === cluster);
  return ofCluster.length > 0 ? ofCluster : ofNetwork;
}

/** What weights are multiplied by, so that those of an endpoint can be shared among the gateways that lead to it. */
function scaleFactor(all: readonly NetworkGateway[]): number {
  const counts = new Map<string, number>();
  for (const { network, cluster } of all) {
    for (const key of [network, `${network} ${cluster}`]) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts.values()].reduce(leastCommonMultiple, 1);
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return (a / x) * b;
}

function endpointAt(gateway: NetworkGateway, locality: Place['locality'], weight: number): Endpoint {
  return {
    address: gateway.address,
    port: gateway.port,
    targetPort: gateway.port,
    labels: gatewayLabels(gateway),
    serviceAccount: '',
    namespace: '',
    workloadName: '',
    locality,
    network: gateway.network,
    cluster: gateway.cluster,
    tlsMode: 'istio',
    healthy: true,
    checked: false,
    weight,
    nodeName: undefined,
    workload: undefined,
  };
}
