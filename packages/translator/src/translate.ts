import type { MeshModel } from '@mizzen/model';
import type { Listener } from '@mizzen/xds';
import { createContext } from './context.ts';
import { buildExtensions } from './extension/index.ts';
import { buildParts } from './parts.ts';
import { buildRoutes } from './route/index.ts';
import type { Node, Translation } from './types.ts';

/**
 * Everything a proxy is sent. Pure: the same model and node give the same resources, and resources that are the same for
 * several nodes of a model are the same objects, as are those that are the same in a model and the one it was built after.
 */
export function translate(model: MeshModel, node: Node): Translation {
  const context = createContext(model, node);
  const parts = buildParts(context);
  const routes = buildRoutes(context, routeNames(parts.listeners));
  return {
    resources: { ...parts, routes, extensions: buildExtensions(context, parts.listeners) },
    origins: context.origins,
  };
}

/** Route configurations that HTTP connection managers ask for by name, in the order of the listeners. */
export function routeNames(listeners: readonly Listener[]): string[] {
  const names = new Set<string>();
  for (const listener of listeners) {
    const chains = [
      ...(listener.filterChains ?? []),
      ...(listener.defaultFilterChain === undefined ? [] : [listener.defaultFilterChain]),
    ];
    for (const filter of chains.flatMap((chain) => chain.filters ?? [])) {
      const rds = (filter.typedConfig as { readonly rds?: { readonly routeConfigName?: string } } | undefined)?.rds;
      if (rds?.routeConfigName !== undefined) names.add(rds.routeConfigName);
    }
  }
  return [...names];
}
