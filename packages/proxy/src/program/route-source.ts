import type { RouteSource, SingleRouteSource } from './types.ts';

/** Each route configuration of a source by itself. */
export function singleSources(source: RouteSource): readonly SingleRouteSource[] {
  return source.kind === 'scoped' ? [...source.scopes.values()] : [source];
}
