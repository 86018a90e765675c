import type { Resource } from '@mizzen/api';
import type { Protocol } from '@mizzen/model';
import type { types } from '@mizzen/xds';
import { listenerAccessLogs } from '../filters/access-log.ts';
import { cidrRange } from '../filters/authorization/addresses.ts';
import { defined } from '../filters/typed.ts';
import { duration } from '../duration.ts';
import { listenerName } from '../names.ts';
import { address } from './address.ts';
import type { Build } from './build.ts';
import { HANDSHAKE_TIMEOUT } from './gateway.ts';
import { HTTP_INSPECTOR, TLS_INSPECTOR } from './listener-filters.ts';

type Listener = types.listener.Listener;
type FilterChain = types.listener.FilterChain;

/** A filter chain of an outbound listener under construction. */
export interface OutboundChain {
  readonly serverNames: readonly string[];
  readonly cidrs: readonly string[];
  readonly applicationProtocols: readonly string[];
  readonly transportProtocol: 'raw_buffer' | '';
  /** Made when the listener is finished: an HTTP connection manager is named after it. */
  readonly filters: (listenerName: string, dynamicHosts: readonly string[]) => readonly types.listener.Filter[];
  readonly metadata: types.core.Metadata | undefined;
  readonly origin: { readonly resource: Resource; readonly path: readonly (string | number)[] } | undefined;
}

/** An outbound listener under construction: what services on the same address and port have made of it so far. */
export interface OutboundEntry {
  readonly bind: string;
  readonly additional: readonly string[];
  readonly bindToPort: boolean;
  readonly port: number;
  /** Of all services so far; `auto` once HTTP and bytes share the listener. */
  protocol: Protocol;
  /** Made from a Sidecar's listener with a port of its own: services found later do not join. */
  locked: boolean;
  chains: OutboundChain[];
  /** Wildcard HTTP services on the port whose hosts are resolved per request. */
  readonly dynamicHosts: string[];
}

/** True when every connection matches. */
export function matchesAll(chain: OutboundChain): boolean {
  return (
    (chain.serverNames.length === 0 || chain.serverNames.includes('*')) &&
    chain.cidrs.length === 0 &&
    chain.applicationProtocols.length === 0 &&
    chain.transportProtocol === ''
  );
}

/** Adds the chains whose match no earlier one has; Envoy refuses two with the same. */
export function addChains(entry: OutboundEntry, chains: readonly OutboundChain[]): void {
  for (const chain of chains) {
    if (!entry.chains.some((existing) => sameMatch(existing, chain))) entry.chains.push(chain);
  }
}

function sameMatch(a: OutboundChain, b: OutboundChain): boolean {
  return (
    a.transportProtocol === b.transportProtocol &&
    a.applicationProtocols.join() === b.applicationProtocols.join() &&
    setOf(a.serverNames.filter((name) => name !== '*')) === setOf(b.serverNames.filter((name) => name !== '*')) &&
    setOf(a.cidrs.flatMap(network)) === setOf(b.cidrs.flatMap(network))
  );
}

function setOf(values: readonly string[]): string {
  return [...new Set(values)].toSorted().join();
}

const EVERYWHERE = new Set(['0.0.0.0', '::']);

/** A range with its host bits cleared, so that equal ranges look equal; nothing for all addresses. */
function network(cidr: string): string[] {
  const range = cidrRange(cidr);
  if (range === undefined || EVERYWHERE.has(range.addressPrefix ?? '')) return [];
  const { addressPrefix = '', prefixLen = 0 } = range;
  const value = addressPrefix.includes(':') ? ipv6(addressPrefix) : ipv4(addressPrefix);
  const hostBits = BigInt((addressPrefix.includes(':') ? 128 : 32) - prefixLen);
  return [`${value >> hostBits}/${prefixLen}`];
}

function ipv4(text: string): bigint {
  return text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function ipv6(text: string): bigint {
  const [head = '', tail = ''] = text.split('::');
  const groups = (part: string): bigint[] =>
    part === ''
      ? []
      : part.split(':').flatMap((group) => {
          if (!group.includes('.')) return [BigInt(`0x${group}`)];
          const value = ipv4(group);
          return [value >> 16n, value & 0xffffn];
        });
  const [front, back] = [groups(head), groups(tail)];
  const gap = text.includes('::') ? Array.from({ length: 8 - front.length - back.length }, () => 0n) : [];
  return [...front, ...gap, ...back].reduce((sum, group) => (sum << 16n) + group, 0n);
}

export function finishEntry(
  build: Build,
  entry: OutboundEntry,
  fallthrough: readonly types.listener.Filter[],
): Listener {
  const name = listenerName(entry.bind, entry.port);
  const chains: FilterChain[] = [];
  let defaultFilterChain: FilterChain | undefined;
  for (const chain of entry.chains) {
    const finished = finishChain(build, chain, name, entry.dynamicHosts);
    if (matchesAll(chain)) defaultFilterChain = finished;
    else chains.push(finished);
  }
  if (defaultFilterChain !== undefined && chains.length === 0) {
    chains.push(defaultFilterChain);
    defaultFilterChain = undefined;
  } else if (defaultFilterChain === undefined) {
    defaultFilterChain = { name: 'PassthroughFilterChain', filterChainMatch: {}, filters: fallthrough };
  }
  const inspectHttp = entry.chains.some((chain) => chain.applicationProtocols.length > 0);
  const listenerFilters = [
    ...(entry.chains.some((chain) => chain.serverNames.length > 0) ? [TLS_INSPECTOR] : []),
    ...(inspectHttp ? [HTTP_INSPECTOR] : []),
  ];
  const exact = String(build.context.node.metadata['OUTBOUND_LISTENER_EXACT_BALANCE']) === 'true';
  return defined({
    name,
    address: address(entry.bind, entry.port),
    additionalAddresses:
      entry.additional.length === 0
        ? undefined
        : entry.additional.map((host) => ({ address: address(host, entry.port) })),
    trafficDirection: 'OUTBOUND',
    continueOnListenerFiltersTimeout: true,
    bindToPort: entry.bindToPort ? undefined : false,
    maxConnectionsToAcceptPerSocketEvent: entry.bindToPort ? 1 : undefined,
    connectionBalanceConfig: exact ? { exactBalance: {} } : undefined,
    listenerFilters: listenerFilters.length > 0 ? listenerFilters : undefined,
    listenerFiltersTimeout:
      (inspectHttp ? duration(build.context.model.mesh.protocolDetectionTimeout) : undefined) ?? '0s',
    accessLog: entry.bindToPort ? listenerAccessLogs(build, 'outbound') : undefined,
    filterChains: chains,
    defaultFilterChain,
  });
}

function finishChain(build: Build, chain: OutboundChain, name: string, dynamicHosts: readonly string[]): FilterChain {
  const made = defined({
    filterChainMatch: matchesAll(chain) ? undefined : matchOf(chain),
    filters: chain.filters(name, dynamicHosts),
    metadata: chain.metadata,
    transportSocketConnectTimeout: HANDSHAKE_TIMEOUT,
  });
  return chain.origin === undefined ? made : build.marks.mark(made, chain.origin.resource, chain.origin.path);
}

function matchOf(chain: OutboundChain): types.listener.FilterChainMatch {
  const names = chain.serverNames.includes('*') ? [] : chain.serverNames.toSorted();
  const ranges = chain.cidrs
    .toSorted()
    .flatMap((cidr) => cidrRange(cidr) ?? [])
    .filter((range) => !EVERYWHERE.has(range.addressPrefix ?? ''));
  return defined({
    applicationProtocols: chain.applicationProtocols.length > 0 ? chain.applicationProtocols : undefined,
    transportProtocol: chain.transportProtocol === '' ? undefined : chain.transportProtocol,
    serverNames: names.length > 0 ? names : undefined,
    prefixRanges: ranges.length > 0 ? ranges : undefined,
  });
}
