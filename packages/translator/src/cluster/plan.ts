import type { networking } from '@mizzen/api';
import type { MergedDestinationRule, Service, ServicePort } from '@mizzen/model';
import { isAlias } from '../aliases.ts';
import type { TranslationContext } from '../context.ts';
import { mergeGateways } from '../gateways.ts';
import { outboundCluster, outboundSni } from '../names.ts';
import { type EffectivePolicy, overDefaults, override, portPolicy } from './policy.ts';

export type Discovery = 'EDS' | 'STRICT_DNS' | 'LOGICAL_DNS' | 'ORIGINAL_DST' | 'DYNAMIC';

/** One outbound cluster: a service's port, or a subset of it. */
export interface ClusterPlan {
  readonly name: string;
  readonly sni: string;
  readonly service: Service;
  readonly port: ServicePort;
  readonly discovery: Discovery;
  readonly rule: MergedDestinationRule | undefined;
  readonly subset: networking.Subset | undefined;
  readonly policy: EffectivePolicy;
  /** Named like an SNI: reached through a gateway that passes TLS on by it, so the cluster adds none. */
  readonly sniRouted: boolean;
}

const cache = new WeakMap<TranslationContext['scope'], Map<string, readonly ClusterPlan[]>>();

/** All outbound clusters a proxy may use. What they depend on is shared by every proxy of the same scope. */
export function clusterPlan(context: TranslationContext): readonly ClusterPlan[] {
  let variants = cache.get(context.scope);
  if (variants === undefined) cache.set(context.scope, (variants = new Map()));
  const { proxy } = context;
  const sniRouted = proxy.type === 'router' && mergeGateways(context).autoPassthrough;
  const key = `${proxy.type} ${proxy.local !== undefined} ${proxy.engine} ${sniRouted}`;
  let plans = variants.get(key);
  if (plans === undefined) variants.set(key, (plans = planAll(context, key)));
  return plans;
}

function planAll(context: TranslationContext, key: string): readonly ClusterPlan[] {
  const plans: ClusterPlan[] = [];
  const names = new Set<string>();
  for (const service of context.scope.services) {
    if (isAlias(context, service)) continue;
    const rule = context.scope.destinationRule(service.hostname);
    for (const port of service.ports) {
      if (port.protocol === 'udp') continue;
      for (const plan of planPort(context, service, port, rule, key)) {
        if (names.has(plan.name)) continue;
        names.add(plan.name);
        plans.push(plan);
      }
    }
  }
  if (context.proxy.type === 'router' && mergeGateways(context).autoPassthrough) {
    plans.push(
      ...plans
        .filter((plan) => !plan.service.meshExternal)
        .map((plan) => ({ ...plan, name: plan.sni, sniRouted: true })),
    );
  }
  return plans;
}

interface PortPlans {
  readonly port: ServicePort;
  readonly rule: MergedDestinationRule | undefined;
  readonly variant: string;
  readonly plans: readonly ClusterPlan[];
}
const byService = new WeakMap<Service, PortPlans[]>();

/** The plans of one service port: the same objects for every scope in which the same rule holds. */
function planPort(
  context: TranslationContext,
  service: Service,
  port: ServicePort,
  rule: MergedDestinationRule | undefined,
  variant: string,
): readonly ClusterPlan[] {
  let known = byService.get(service);
  if (known === undefined) byService.set(service, (known = []));
  let entry = known.find((e) => e.port === port && e.rule === rule && e.variant === variant);
  if (entry === undefined)
    known.push((entry = { port, rule, variant, plans: buildPlans(context, service, port, rule) }));
  return entry.plans;
}

function buildPlans(
  context: TranslationContext,
  service: Service,
  port: ServicePort,
  rule: MergedDestinationRule | undefined,
): readonly ClusterPlan[] {
  const policy = portPolicy(rule?.spec.trafficPolicy, port.port, ['trafficPolicy']);
  const plan = (subset: networking.Subset | undefined, effective: EffectivePolicy): ClusterPlan => ({
    name: outboundCluster(port.port, subset?.name ?? '', service.hostname),
    sni: outboundSni(port.port, subset?.name ?? '', service.hostname),
    service,
    port,
    discovery:
      effective.loadBalancer?.simple === 'PASSTHROUGH' && context.proxy.local === undefined
        ? 'ORIGINAL_DST'
        : discoveryOf(context, service),
    rule,
    subset,
    policy: overDefaults(effective, context.model.mesh.defaultTrafficPolicy ?? {}),
    sniRouted: false,
  });
  const plans = [plan(undefined, policy)];
  for (const [index, subset] of (rule?.spec.subsets ?? []).entries()) {
    const at = rule?.subsetOrigin.get(subset.name ?? '')?.index ?? index;
    plans.push(plan(subset, override(policy, subset.trafficPolicy, port.port, ['subsets', at, 'trafficPolicy'])));
  }
  return plans;
}

/**
 * How the proxy finds a service's endpoints. Gateways, and sidecars without interception, have no original destination:
 * headless services are load balanced there.
 */
function discoveryOf(context: TranslationContext, service: Service): Discovery {
  switch (service.resolution) {
    case 'dns':
    case 'alias':
      return 'STRICT_DNS';
    case 'dns-round-robin':
      return 'LOGICAL_DNS';
    case 'dynamic-dns':
      return 'DYNAMIC';
    case 'passthrough':
      if (context.proxy.local !== undefined) return service.registry === 'Kubernetes' ? 'EDS' : 'DYNAMIC';
      return context.proxy.type === 'router' ? 'EDS' : 'ORIGINAL_DST';
    default:
      return 'EDS';
  }
}
