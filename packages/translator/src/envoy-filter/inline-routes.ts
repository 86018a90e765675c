import type { Listener, types } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import { MANAGER } from './http-filter.ts';
import { patchRoutes } from './route.ts';
import type { Run } from './run.ts';

type FilterChain = types.listener.FilterChain;
type Filter = types.listener.Filter;

/** A sidecar's inbound routes are in its listeners; they are patched before those are. */
export function patchInlineRoutes(context: TranslationContext, run: Run, listener: Listener): Listener {
  if (run.side !== 'SIDECAR_INBOUND') return listener;
  const chains = (listener.filterChains ?? []).map((chain) => patchChain(context, run, chain));
  const filterChains = run.list(chains, listener.filterChains);
  return filterChains === listener.filterChains || chains.length === 0
    ? listener
    : run.with(listener, { filterChains });
}

function patchChain(context: TranslationContext, run: Run, chain: FilterChain): FilterChain {
  if (chain.filters === undefined) return chain;
  const filters = run.list(
    chain.filters.map((filter) => patchFilter(context, run, filter)),
    chain.filters,
  );
  return filters === chain.filters ? chain : run.with(chain, { filters });
}

function patchFilter(context: TranslationContext, run: Run, filter: Filter): Filter {
  const manager = filter.typedConfig as types.hcm.HttpConnectionManager | undefined;
  if (filter.name !== MANAGER || manager?.routeConfig === undefined) return filter;
  const routeConfig = patchRoutes(context, run, manager.routeConfig);
  if (routeConfig === manager.routeConfig) return filter;
  const typedConfig = run.with(manager, { routeConfig }) as NonNullable<Filter['typedConfig']>;
  return run.with(filter, { typedConfig });
}
