import type { Listener, types } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import { patchHttpFilters } from './http-filter.ts';
import type { InForce } from './in-force.ts';
import { editList } from './lists.ts';
import { ListenerMatch, matchesFilter } from './listener-match.ts';
import { patchInlineRoutes } from './inline-routes.ts';
import { isMerge, listenerFilterName, type Patch } from './patch.ts';
import { Run, type Side } from './run.ts';
import { originOf, type Tracks } from './tracks.ts';

type FilterChain = types.listener.FilterChain;
type Filter = types.listener.Filter;

export interface PatchedListener {
  readonly listener: Listener;
  /** The listener it was; undefined for one that a patch added. */
  readonly original: Listener | undefined;
  readonly tracks: Tracks;
}

/** What becomes of a proxy's listeners: those that stay, then those that are added. */
export function patchListeners(
  context: TranslationContext,
  inForce: InForce,
  listeners: readonly Listener[],
): readonly PatchedListener[] {
  const { proxy } = context;
  const patched = listeners.flatMap((original): readonly PatchedListener[] => {
    const run = new Run(inForce, sideOf(context, original));
    const listener = patchListener(run, new ListenerMatch(proxy, original), patchInlineRoutes(context, run, original));
    return listener === undefined ? [] : [{ listener, original, tracks: run.tracks }];
  });
  const sides: readonly Side[] = proxy.type === 'router' ? ['GATEWAY'] : ['SIDECAR_INBOUND', 'SIDECAR_OUTBOUND'];
  return [...patched, ...sides.flatMap((side) => added(new Run(inForce, side)))];
}

function sideOf({ proxy }: TranslationContext, listener: Listener): Side {
  if (proxy.type === 'router') return 'GATEWAY';
  return listener.trafficDirection === 'INBOUND' ? 'SIDECAR_INBOUND' : 'SIDECAR_OUTBOUND';
}

/** Listeners for any context are added where traffic leaves, so that there is one of them. */
function added(run: Run): readonly PatchedListener[] {
  return run.of('LISTENER').flatMap((patch): readonly PatchedListener[] => {
    if (patch.operation !== 'ADD' || (patch.context === 'ANY' && run.side === 'SIDECAR_INBOUND')) return [];
    const listener = patch.value as Listener;
    const named = listener.name !== undefined && originOf(listener) !== undefined;
    return named ? [{ listener, original: undefined, tracks: run.tracks }] : [];
  });
}

function patchListener(run: Run, match: ListenerMatch, original: Listener): Listener | undefined {
  let listener = original;
  for (const patch of run.of('LISTENER')) {
    if (!match.listener(listener, patch)) continue;
    if (patch.operation === 'REMOVE') return undefined;
    if (isMerge(patch.operation)) listener = run.merge(listener, patch);
  }
  return patchChains(run, match, patchListenerFilters(run, match, listener));
}

function patchListenerFilters(run: Run, match: ListenerMatch, listener: Listener): Listener {
  const before = listener.listenerFilters ?? [];
  let filters = before;
  for (const patch of run.of('LISTENER_FILTER')) {
    if (!match.listener(listener, patch)) continue;
    const name = listenerFilterName(patch.match);
    const matches = (filter: types.listener.ListenerFilter): boolean => filter.name === name;
    if (!isMerge(patch.operation)) filters = editList(filters, patch, name === '' ? undefined : matches);
    else if (name !== '') {
      filters = filters.map((filter) => (matches(filter) ? run.mergeTyped(filter, patch.value, patch) : filter));
    }
  }
  const listenerFilters = run.list(filters, listener.listenerFilters);
  if (listenerFilters === before) return listener;
  return run.with(listener, { listenerFilters: listenerFilters.length > 0 ? listenerFilters : undefined });
}

function patchChains(run: Run, match: ListenerMatch, listener: Listener): Listener {
  const before = listener.filterChains ?? [];
  const kept = before.flatMap((chain) => patchChain(run, match, listener, chain) ?? []);
  const added = run
    .of('FILTER_CHAIN')
    .filter((patch) => patch.operation === 'ADD' && match.listener(listener, patch))
    .map(({ value }) => value as FilterChain);
  // Without filters there is no chain, for istiod.
  const chains = run.list([...kept, ...added.filter(({ filters }) => filters !== undefined)], listener.filterChains);
  const last = listener.defaultFilterChain;
  const defaultFilterChain = last && patchChain(run, match, listener, last);
  if (chains === before && defaultFilterChain === last) return listener;
  return run.with(listener, { filterChains: chains.length > 0 ? chains : undefined, defaultFilterChain });
}

function patchChain(
  run: Run,
  match: ListenerMatch,
  listener: Listener,
  original: FilterChain,
): FilterChain | undefined {
  let chain = original;
  if (chain.filters === undefined) return undefined;
  for (const patch of run.of('FILTER_CHAIN')) {
    if (!match.listener(listener, patch) || !match.chain(listener, chain, patch)) continue;
    if (patch.operation === 'REMOVE') return undefined;
    if (isMerge(patch.operation)) chain = mergeChain(run, chain, patch);
  }
  const concerns = (patch: Patch): boolean => match.listener(listener, patch) && match.chain(listener, chain, patch);
  return patchNetworkFilters(run, chain, concerns);
}

/** A transport socket of the same name is merged, and then nothing else of the patch is. */
function mergeChain(run: Run, chain: FilterChain, patch: Patch): FilterChain {
  const socket = (patch.value as FilterChain).transportSocket;
  const own = chain.transportSocket;
  if (socket === undefined || own === undefined || socket.name !== own.name) return run.merge(chain, patch);
  const transportSocket = run.mergeTyped(own, socket, patch, ['transportSocket']);
  return transportSocket === own ? chain : run.with(chain, { transportSocket });
}

function patchNetworkFilters(run: Run, chain: FilterChain, concerns: (patch: Patch) => boolean): FilterChain {
  const before = chain.filters ?? [];
  const patches = run.of('NETWORK_FILTER').filter(concerns);
  let filters = before;
  for (const patch of patches) {
    const named = patch.match.listener?.filterChain?.filter !== undefined;
    filters = editList(filters, patch, named ? (filter: Filter) => matchesFilter(filter, patch) : undefined);
  }
  const merges = patches.filter(({ operation }) => isMerge(operation));
  const http = run.of('HTTP_FILTER').filter(concerns);
  const done = filters.map((filter) => patchHttpFilters(run, mergeFilter(run, filter, merges), http));
  const list = run.list(done, chain.filters);
  return list === before ? chain : run.with(chain, { filters: list });
}

function mergeFilter(run: Run, original: Filter, merges: readonly Patch[]): Filter {
  let filter = original;
  for (const patch of merges) {
    if (filter.typedConfig === undefined || !matchesFilter(filter, patch)) continue;
    filter = run.renamed(run.mergeTyped(filter, patch.value, patch), patch);
  }
  return filter;
}
