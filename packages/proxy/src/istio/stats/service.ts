import type { JsonObject, JsonValue } from '@mizzen/xds';

/** Clusters that stand for no service, and go by their own names. */
const NAMELESS = new Set([
  'BlackHoleCluster',
  'PassthroughCluster',
  'InboundPassthroughCluster',
  'InboundPassthroughClusterIpv4',
  'InboundPassthroughClusterIpv6',
]);

export interface ServiceLabels {
  /** `reviews.default.svc.cluster.local`; empty: not known. */
  readonly host: string;
  /** `reviews` */
  readonly name: string;
}

/** What a request or a connection was for, `authority` where neither route nor cluster says so. */
export function serviceOf(
  routeName: string,
  cluster: string,
  metadata: JsonObject | undefined,
  authority: string,
): ServiceLabels {
  if (routeName === 'block_all') return { host: authority, name: 'BlackHoleCluster' };
  if (routeName === 'allow_any') return { host: authority, name: 'PassthroughCluster' };
  if (NAMELESS.has(cluster)) return { host: authority, name: cluster };
  const services = metadata?.['services'];
  const first = Array.isArray(services) ? (services as readonly JsonValue[])[0] : undefined;
  if (typeof first !== 'object' || first === null) return { host: authority, name: authority };
  const { host, name } = first as JsonObject;
  const known = typeof host === 'string' ? host : authority;
  return { host: known, name: typeof name === 'string' ? name : (known.split('.')[0] ?? '') };
}

/** Whether the cluster says itself what it is for, so that nobody has to ask the request. */
export function namesService(metadata: JsonObject | undefined): boolean {
  const services = metadata?.['services'];
  return Array.isArray(services) && services.length > 0;
}
