import { isIP } from 'node:net';
import { type Endpoint, labelsKey } from '@mizzen/model';
import type { types } from '@mizzen/xds';
import type { ClusterPlan } from '../cluster/plan.ts';
import type { TranslationContext } from '../context.ts';
import { groupByLocality, localityEndpoints, type Reached } from './localities.ts';
import { localityPolicy } from './locality-policy.ts';
import { throughGateways } from './networks.ts';

/** The endpoints of one cluster, by locality. */
export function planEndpoints(context: TranslationContext, plan: ClusterPlan): types.endpoint.LocalityLbEndpoints[] {
  const { model } = context;
  const { service, port, subset, policy } = plan;
  const endpoints = model
    .endpoints(service, port, subset?.labels)
    .filter((endpoint) => counts(context, plan, endpoint));
  const reached = oncePerAddress(plan, endpoints).map((endpoint) => ({
    endpoint,
    mtls: speaksMtls(context, plan, endpoint),
  }));
  let places = throughGateways(context, plan, groupByLocality(reached));
  if (plan.sniRouted) {
    places = places.map((place) => ({ ...place, reached: place.reached.filter(({ mtls }) => mtls) }));
  }
  return localityEndpoints(context, places, localityPolicy(policy, service, model.mesh));
}

function counts({ proxy, model }: TranslationContext, plan: ClusterPlan, endpoint: Endpoint): boolean {
  const { service, policy, discovery } = plan;
  // With a panic threshold Envoy might use endpoints that are not ready, so it does not learn of them.
  if ((policy.outlierDetection?.minHealthPercent ?? 0) > 0 && !endpoint.healthy) return false;
  if (endpoint.labels[DRAINING] !== undefined && service.labels[PERSISTENT_SESSION] === undefined) return false;
  if (service.nodeLocal && endpoint.nodeName !== nodeOf(proxy)) return false;
  if (model.isClusterLocal(service) && endpoint.cluster !== proxy.cluster) return false;
  // Endpoints that are discovered have addresses; a ServiceEntry may list names all the same.
  return discovery !== 'EDS' || endpoint.address === '' || endpoint.port === 0 || isIP(endpoint.address) !== 0;
}

/** Labels of a pod that is being emptied, and of a service whose clients may stay with such a pod. */
const DRAINING = 'istio.io/draining';
const PERSISTENT_SESSION = 'istio.io/persistent-session';

function nodeOf({ workload, metadata }: TranslationContext['proxy']): string | undefined {
  return workload?.nodeName ?? metadata.NODE_NAME;
}

/** As the rule says, else to every endpoint with a sidecar whose policies do not forbid it. */
function speaksMtls({ model }: TranslationContext, { policy }: ClusterPlan, endpoint: Endpoint): Reached['mtls'] {
  if (endpoint.tlsMode !== 'istio') return false;
  if (policy.tls !== undefined) return policy.tls.mode === 'ISTIO_MUTUAL';
  return model.mtlsMode(endpoint.namespace, endpoint.labels, endpoint.targetPort) !== 'DISABLE';
}

/** All of a proxy's own place that the endpoints of any cluster depend on. */
export function wholePlace({ proxy }: TranslationContext): string {
  const { cluster, network, locality, labels } = proxy;
  const { region, zone, subzone } = locality;
  return [nodeOf(proxy) ?? '', cluster, network, `${region}/${zone}/${subzone}`, labelsKey(labels)].join(' ');
}

/** What of a proxy's own place the endpoints of a cluster depend on. Whether it is empty does not depend on the proxy. */
export function placeKey(context: TranslationContext, { service, policy }: ClusterPlan): string {
  const { proxy, model } = context;
  const parts: string[] = [];
  if (service.nodeLocal) parts.push(`on ${nodeOf(proxy) ?? ''}`);
  if (model.isClusterLocal(service)) parts.push(`in ${proxy.cluster}`);
  if (model.networkGateways.length > 0) parts.push(`at ${proxy.network}`);
  const { setting, failover } = localityPolicy(policy, service, model.mesh);
  const weighted = (setting?.distribute?.length ?? 0) > 0;
  if (setting !== undefined && (weighted || failover)) {
    const { region, zone, subzone } = proxy.locality;
    const byLabels = (setting.failoverPriority?.length ?? 0) > 0;
    const labels = byLabels ? `${labelsKey(proxy.labels)} ${nodeOf(proxy) ?? ''} ${proxy.network}` : '';
    parts.push(`${region}/${zone}/${subzone} ${labels}`);
  }
  return parts.join(' ');
}

/** istiod knows a ServiceEntry of several addresses as several services, each with all endpoints. */
function oncePerAddress({ service }: ClusterPlan, endpoints: readonly Endpoint[]): readonly Endpoint[] {
  if (service.registry !== 'External' || service.selector !== undefined || service.addresses.length < 2)
    return endpoints;
  return service.addresses.flatMap(() => endpoints);
}
