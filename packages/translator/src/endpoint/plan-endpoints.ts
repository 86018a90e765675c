import { type Endpoint, labelsKey } from '@mizzen/model';
import type { types } from '@mizzen/xds';
import { localitySetting } from '../cluster/load-balancer.ts';
import type { ClusterPlan } from '../cluster/plan.ts';
import type { EffectivePolicy } from '../cluster/policy.ts';
import type { TranslationContext } from '../context.ts';
import { localityEndpoints } from './localities.ts';

/** The endpoints of one cluster, by locality. */
export function planEndpoints(context: TranslationContext, plan: ClusterPlan): types.endpoint.LocalityLbEndpoints[] {
  const { model } = context;
  const { service, port, subset, policy } = plan;
  let endpoints = model.endpoints(service, port, subset?.labels);
  // With a panic threshold Envoy might use endpoints that are not ready, so it does not learn of them.
  if ((policy.outlierDetection?.minHealthPercent ?? 0) > 0)
    endpoints = endpoints.filter((endpoint) => endpoint.healthy);
  endpoints = oncePerAddress(plan, endpoints);
  const own = policy.tls !== undefined && policy.tls.mode !== 'ISTIO_MUTUAL';
  const mtls = (endpoint: Endpoint): boolean =>
    !own &&
    endpoint.tlsMode === 'istio' &&
    model.mtlsMode(endpoint.namespace, endpoint.labels, endpoint.targetPort) !== 'DISABLE';
  const setting = localitySetting(policy.loadBalancer?.localityLbSetting, model.mesh);
  const failover = policy.outlierDetection !== undefined;
  if (!plan.sniRouted) return localityEndpoints(context, endpoints, { setting, failover }, mtls);
  const reachable = localityEndpoints(context, endpoints.filter(mtls), { setting, failover }, mtls);
  return reachable.length > 0
    ? reachable
    : localityEndpoints(context, endpoints, { setting, failover }, mtls).map(({ locality }) => ({ locality }));
}

/** What of a proxy's own place the endpoints of a cluster depend on. */
export function localityKey({ proxy, model }: TranslationContext, policy: EffectivePolicy): string {
  const setting = localitySetting(policy.loadBalancer?.localityLbSetting, model.mesh);
  const weighted = (setting?.distribute?.length ?? 0) > 0;
  if (setting === undefined || (!weighted && policy.outlierDetection === undefined)) return '';
  const { region, zone, subzone } = proxy.locality;
  const labels = (setting.failoverPriority?.length ?? 0) > 0 ? labelsKey(proxy.labels) : '';
  return `${region}/${zone}/${subzone} ${labels}`;
}

/** istiod knows a ServiceEntry of several addresses as several services, each with all endpoints. */
function oncePerAddress({ service }: ClusterPlan, endpoints: readonly Endpoint[]): readonly Endpoint[] {
  if (service.registry !== 'External' || service.selector !== undefined || service.addresses.length < 2)
    return endpoints;
  return service.addresses.flatMap(() => endpoints);
}
