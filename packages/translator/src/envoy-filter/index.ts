import type { Cluster, Listener, RouteConfiguration, TypedExtensionConfig } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import { OriginTable, type OriginTree } from '../origins.ts';
import type { XdsType } from '../types.ts';
import { patchClusters } from './cluster.ts';
import { addedExtensions } from './extension.ts';
import { type InForce, inForce } from './in-force.ts';
import { patchListeners } from './listener.ts';
import type { Target } from './patch.ts';
import { patchRoutes } from './route.ts';
import { Run } from './run.ts';
import { originOf, type Tracks } from './tracks.ts';

export { inForce } from './in-force.ts';
export { patchBootstrap } from './bootstrap.ts';
export { envoyFilterProblems } from './problems.ts';

type Build<T> = (context: TranslationContext) => T[];

const OF_LISTENERS: readonly Target[] = [
  'LISTENER',
  'LISTENER_FILTER',
  'FILTER_CHAIN',
  'NETWORK_FILTER',
  'HTTP_FILTER',
  'ROUTE_CONFIGURATION',
  'VIRTUAL_HOST',
  'HTTP_ROUTE',
];
const OF_ROUTES: readonly Target[] = ['ROUTE_CONFIGURATION', 'VIRTUAL_HOST', 'HTTP_ROUTE'];

/** A proxy's listeners as `build` makes them, with the EnvoyFilters that are for it applied. */
export function withListenerPatches(build: Build<Listener>): Build<Listener> {
  return (context) => {
    const patches = inForce(context);
    if (OF_LISTENERS.every((target) => patches.of(target).length === 0)) return build(context);
    const before = new OriginTable();
    const built = build({ ...context, origins: before });
    return patchListeners(context, patches, built).map(({ listener, original, tracks }) => {
      share(context, 'listener', { resource: listener, original, tracks }, before);
      return listener;
    });
  };
}

/** The same for clusters. */
export function withClusterPatches(build: Build<Cluster>): Build<Cluster> {
  return (context) => {
    const patches = inForce(context);
    if (patches.of('CLUSTER').length === 0) return build(context);
    const before = new OriginTable();
    const built = build({ ...context, origins: before });
    return patchClusters(context, patches, built).map(({ cluster, original, tracks }) => {
      share(context, 'cluster', { resource: cluster, original, tracks }, before);
      return cluster;
    });
  };
}

interface PatchedRoute {
  readonly configuration: RouteConfiguration;
  readonly tree: OriginTree;
}
const patchedRoutes = new WeakMap<RouteConfiguration, WeakMap<InForce, PatchedRoute>>();

/** The same for a route configuration, whose origins are in `tree`. One that was only asked for has nothing to patch. */
export function withRoutePatches(
  context: TranslationContext,
  configuration: RouteConfiguration,
  tree: OriginTree,
): PatchedRoute {
  const patches = inForce(context);
  if (configuration.virtualHosts === undefined || OF_ROUTES.every((target) => patches.of(target).length === 0)) {
    return { configuration, tree };
  }
  let known = patchedRoutes.get(configuration);
  if (known === undefined) patchedRoutes.set(configuration, (known = new WeakMap()));
  let patched = known.get(patches);
  if (patched === undefined) {
    const run = new Run(patches, context.proxy.type === 'router' ? 'GATEWAY' : 'SIDECAR_OUTBOUND');
    const result = patchRoutes(context, run, configuration);
    patched = { configuration: result, tree: run.tracks.origins(result, configuration, tree) };
    known.set(patches, patched);
  }
  return patched;
}

/** Configurations of extensions that EnvoyFilters add, of those that `names` asks for. */
export function patchedExtensions(
  context: TranslationContext,
  names: ReadonlySet<string>,
): readonly TypedExtensionConfig[] {
  const extensions = addedExtensions(inForce(context), names);
  for (const extension of extensions) {
    const origin = originOf(extension);
    if (origin !== undefined) context.origins.set('extension', extension.name ?? '', [], origin);
  }
  return extensions;
}

interface Patched {
  readonly resource: Listener | Cluster;
  readonly original: Listener | Cluster | undefined;
  readonly tracks: Tracks;
}

function share(
  { origins }: TranslationContext,
  type: XdsType,
  { resource, original, tracks }: Patched,
  before: OriginTable,
): void {
  const tree = original === undefined ? undefined : before.tree(type, original.name ?? '');
  if (resource === original) {
    if (tree !== undefined) origins.share(type, resource.name ?? '', tree);
    return;
  }
  origins.share(type, resource.name ?? '', tracks.origins(resource, original, tree));
}
