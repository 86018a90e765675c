import { type Endpoint, labelsKey } from '@mizzen/model';
import type { types } from '@mizzen/xds';
import type { ClusterPlan } from '../cluster/plan.ts';
import type { TranslationContext } from '../context.ts';
import { localityEndpoints } from './localities.ts';
import { localityPolicy } from './locality-policy.ts';

/** The endpoints of one cluster, by locality. */
export function planEndpoints(context: TranslationContext, plan: ClusterPlan): types.endpoint.LocalityLbEndpoints[] {
  const { model } = context;
  const { service, port, subset, policy } = plan;
  let endpoints = model.endpoints(service, port, subset?.labels);
  // With a panic threshold Envoy might use endpoints that are not ready, so it does not learn of them.
  if ((policy.outlierDetection?.minHealthPercent ?? 0) > 0)
    endpoints = endpoints.filter((endpoint) => endpoint.healthy);
  if (service.nodeLocal) {
    const here = nodeName(context);
    endpoints = endpoints.filter((endpoint) => endpoint.workload?.nodeName === here);
  }
  endpoints = oncePerAddress(plan, endpoints);
  const own = policy.tls !== undefined && policy.tls.mode !== 'ISTIO_MUTUAL';
  const mtls = (endpoint: Endpoint): boolean =>
    !own &&
    endpoint.tlsMode === 'istio' &&
    model.mtlsMode(endpoint.namespace, endpoint.labels, endpoint.targetPort) !== 'DISABLE';
  const places = localityPolicy(policy, service, model.mesh);
  if (!plan.sniRouted) return localityEndpoints(context, endpoints, places, mtls);
  const reachable = localityEndpoints(context, endpoints.filter(mtls), places, mtls);
  return reachable.length > 0
    ? reachable
    : localityEndpoints(context, endpoints, places, mtls).map(({ locality }) => ({ locality }));
}

/** What of a proxy's own place the endpoints of a cluster depend on. */
export function localityKey(context: TranslationContext, { service, policy }: ClusterPlan): string {
  const { proxy, model } = context;
  const { setting, failover } = localityPolicy(policy, service, model.mesh);
  const node = service.nodeLocal ? (nodeName(context) ?? '') : '';
  const weighted = (setting?.distribute?.length ?? 0) > 0;
  if (setting === undefined || (!weighted && !failover)) return node;
  const { region, zone, subzone } = proxy.locality;
  const labels =
    (setting.failoverPriority?.length ?? 0) > 0
      ? `${labelsKey(proxy.labels)} ${proxy.network} ${nodeName(context) ?? ''}`
      : '';
  return `${region}/${zone}/${subzone} ${labels} ${node}`;
}

function nodeName({ proxy }: TranslationContext): string | undefined {
  return proxy.metadata.NODE_NAME ?? proxy.workload?.nodeName;
}

/** istiod knows a ServiceEntry of several addresses as several services, each with all endpoints. */
function oncePerAddress({ service }: ClusterPlan, endpoints: readonly Endpoint[]): readonly Endpoint[] {
  if (service.registry !== 'External' || service.selector !== undefined || service.addresses.length < 2)
    return endpoints;
  return service.addresses.flatMap(() => endpoints);
}
