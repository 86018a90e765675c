import { ForwardProxyCluster, type DnsCacheStats } from '../cluster/forward-proxy.ts';
import type { ManagedCluster } from '../cluster/managed.ts';
import { add, type Values } from './collect.ts';

const COUNTED: readonly (keyof DnsCacheStats)[] = [
  'dns_query_attempt',
  'dns_query_failure',
  'dns_query_success',
  'host_added',
  'host_address_changed',
  'host_overflow',
  'host_removed',
];
/** Names of what cannot happen here, which Envoy has all the same. */
const NEVER = [
  'cache_load',
  'circuit_breakers.rq_pending_open',
  'dns_address_filter_out',
  'dns_query_timeout',
  'dns_rq_pending_overflow',
];
/** How many requests may wait for names: more than wait here are never told of. */
const ROOM = 1024;

/** Of the cache of names, which the clusters and filters of its name share. */
export function addDnsCache(values: Values, { program, made }: ManagedCluster): void {
  const prefix = `dns_cache.${program.dns.cacheName}`;
  const cluster = made instanceof ForwardProxyCluster ? made : undefined;
  for (const name of NEVER) add(values, `${prefix}.${name}`, 0);
  for (const name of COUNTED) add(values, `${prefix}.${name}`, cluster?.cacheStats[name] ?? 0);
  add(values, `${prefix}.num_hosts`, cluster?.nameCount ?? 0);
  values.set(`${prefix}.circuit_breakers.rq_pending_remaining`, ROOM);
}
