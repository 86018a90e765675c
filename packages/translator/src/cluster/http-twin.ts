import type { Cluster, types } from '@mizzen/xds';
import { keepsMetrics, type TranslationContext } from '../context.ts';
import { buildOutbound } from './outbound.ts';
import { type ClusterPlan, clusterPlan } from './plan.ts';
import { proxySettingsKey } from './proxy-settings.ts';

/**
 * A port of no known protocol carries HTTP or bytes, and under mutual TLS its sidecar learns which only from ALPN. Istio's
 * Envoy has a filter that sets ALPN per request; elsewhere requests go to a cluster of their own that differs in nothing
 * but its ALPN. Its endpoints are those of the cluster it is made from.
 */
const HTTP_ALPN = ['istio-http/1.1', 'istio'];

const cache = new WeakMap<ClusterPlan, Map<string, Cluster | undefined>>();

/** The cluster for HTTP to a port that is sniffed; undefined where the protocol is known or TLS is not mutual. */
export function httpTwin(context: TranslationContext, plan: ClusterPlan): Cluster | undefined {
  if (context.proxy.local === undefined || plan.port.protocol !== 'auto') return undefined;
  let variants = cache.get(plan);
  if (variants === undefined) cache.set(plan, (variants = new Map()));
  const key = `${keepsMetrics(context.proxy)} ${proxySettingsKey(context)}`;
  if (!variants.has(key)) variants.set(key, build(context, plan));
  return variants.get(key);
}

/** Cluster name → name of the cluster that its HTTP requests go to instead. */
export function httpTwinNames(context: TranslationContext): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const plan of clusterPlan(context)) {
    const twin = httpTwin(context, plan)?.name;
    if (twin !== undefined) names.set(plan.name, twin);
  }
  return names;
}

function build(context: TranslationContext, plan: ClusterPlan): Cluster | undefined {
  const cluster = buildOutbound(context, plan);
  if (cluster?.type !== 'EDS') return undefined;
  const socket = withHttpAlpn(cluster.transportSocket);
  const matches = cluster.transportSocketMatches?.map((match) => {
    const own = withHttpAlpn(match.transportSocket);
    return own === undefined ? match : { ...match, transportSocket: own };
  });
  if (socket === undefined && matches === undefined) return undefined;
  const name = `${plan.name}|http`;
  return {
    ...cluster,
    name,
    altStatName: `${name};`,
    ...(socket === undefined ? {} : { transportSocket: socket }),
    ...(matches === undefined ? {} : { transportSocketMatches: matches }),
  };
}

function withHttpAlpn(socket: types.core.TransportSocket | undefined): types.core.TransportSocket | undefined {
  const tls = socket?.typedConfig as types.tls.UpstreamTlsContext | undefined;
  if (socket?.typedConfig === undefined || tls?.commonTlsContext?.alpnProtocols?.includes('istio') !== true)
    return undefined;
  const commonTlsContext = { ...tls.commonTlsContext, alpnProtocols: HTTP_ALPN };
  return { ...socket, typedConfig: { ...socket.typedConfig, commonTlsContext } };
}
