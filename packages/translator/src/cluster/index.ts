import { isIP } from 'node:net';
import type { Cluster } from '@mizzen/xds';
import { keepsMetrics, type TranslationContext } from '../context.ts';
import { placeKey } from '../endpoint/plan-endpoints.ts';
import { inboundPorts } from '../inbound.ts';
import { httpTwin } from './http-twin.ts';
import { buildInbound } from './inbound.ts';
import { buildOutbound, noteOutbound } from './outbound.ts';
import { type ClusterPlan, clusterPlan } from './plan.ts';
import { proxySettingsKey } from './proxy-settings.ts';
import { tracesCluster } from './traces.ts';
import { allowAnyDynamicDns, blackHole, connectTunnel, inboundPassthrough, passthrough } from './special.ts';

/** Every cluster of a proxy: outbound by service, then the special ones and (for sidecars) the inbound ones. */
export function buildClusters(context: TranslationContext): Cluster[] {
  const { proxy } = context;
  const clusters: Cluster[] = [];
  const settings = proxySettingsKey(context);
  for (const plan of clusterPlan(context)) {
    const cluster = cachedOutbound(context, plan, settings);
    if (cluster === undefined) continue;
    clusters.push(cluster);
    noteOutbound(context, plan, plan.name);
    const twin = httpTwin(context, plan);
    if (twin?.name === undefined) continue;
    clusters.push(twin);
    noteOutbound(context, plan, twin.name);
  }
  clusters.push(blackHole(context));
  if (proxy.local?.traces !== undefined) clusters.push(tracesCluster(proxy.local.traces));
  if (proxy.type === 'router') return clusters;
  clusters.push(passthrough(context));
  if (context.scope.outboundTrafficPolicy === 'ALLOW_ANY_DYNAMIC_DNS') clusters.push(allowAnyDynamicDns(context));
  for (const inbound of inboundPorts(context)) clusters.push(buildInbound(context, inbound));
  if (proxy.local === undefined) clusters.push(inboundPassthrough(context));
  else if (proxy.local.httpProxy !== undefined) clusters.push(connectTunnel(context));
  return clusters;
}

const cache = new WeakMap<ClusterPlan, Map<string, Cluster | undefined>>();

/** Plans are shared by all proxies of a scope; what else a cluster depends on is in the key. */
function cachedOutbound(context: TranslationContext, plan: ClusterPlan, settings: string): Cluster | undefined {
  const { proxy, profile } = context;
  let variants = cache.get(plan);
  if (variants === undefined) cache.set(plan, (variants = new Map()));
  let key = `${profile} ${keepsMetrics(proxy)} ${settings}`;
  if (plan.discovery === 'STRICT_DNS' || plan.discovery === 'LOGICAL_DNS') {
    const families = proxy.addresses.map((address) => isIP(address)).join('');
    key += ` ${families} ${placeKey(context, plan)}`;
  }
  if (!variants.has(key)) variants.set(key, buildOutbound(context, plan));
  return variants.get(key);
}
