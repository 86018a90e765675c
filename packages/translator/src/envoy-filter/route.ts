import type { Route, RouteConfiguration, VirtualHost } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import { editList } from './lists.ts';
import { isMerge, type Patch } from './patch.ts';
import { RouteMatch, matchesRoute, matchesVirtualHost, namesRoute } from './route-match.ts';
import type { Run } from './run.ts';

/** A route configuration after the patches of ROUTE_CONFIGURATION, VIRTUAL_HOST and HTTP_ROUTE. */
export function patchRoutes(context: TranslationContext, run: Run, original: RouteConfiguration): RouteConfiguration {
  const match = new RouteMatch(context, run.side);
  let configuration = original;
  for (const patch of run.of('ROUTE_CONFIGURATION')) {
    if (isMerge(patch.operation) && match.configuration(configuration, patch)) {
      configuration = run.merge(configuration, patch);
    }
  }
  return patchVirtualHosts(run, match, configuration);
}

function patchVirtualHosts(run: Run, match: RouteMatch, configuration: RouteConfiguration): RouteConfiguration {
  const before = configuration.virtualHosts ?? [];
  const removed = new Set<string | undefined>();
  const kept = before.flatMap((host) => {
    const patched = patchVirtualHost(run, match, configuration, host);
    if (patched === undefined) removed.add(host.name);
    return patched ?? [];
  });
  const added = run
    .of('VIRTUAL_HOST')
    .filter((patch) => patch.operation === 'ADD' && match.adds(configuration, patch))
    .map(({ value }) => value as VirtualHost);
  // What one patch removes by name, another does not bring back.
  const hosts = [...kept, ...added].filter(({ name }) => !removed.has(name));
  const list = run.list(hosts, configuration.virtualHosts);
  if (list === before) return configuration;
  return run.with(configuration, { virtualHosts: list.length > 0 ? list : undefined });
}

function patchVirtualHost(
  run: Run,
  match: RouteMatch,
  configuration: RouteConfiguration,
  original: VirtualHost,
): VirtualHost | undefined {
  let host = original;
  const concerns = (patch: Patch): boolean =>
    match.virtualHost(configuration, original, patch) && matchesVirtualHost(host, patch);
  for (const patch of run.of('VIRTUAL_HOST')) {
    if (!concerns(patch)) continue;
    if (patch.operation === 'REMOVE') return undefined;
    if (isMerge(patch.operation)) host = run.merge(host, patch);
    else if (patch.operation === 'REPLACE') host = patch.value as VirtualHost;
  }
  return patchHttpRoutes(run, host, run.of('HTTP_ROUTE').filter(concerns));
}

function patchHttpRoutes(run: Run, host: VirtualHost, patches: readonly Patch[]): VirtualHost {
  const before = host.routes ?? [];
  let routes: readonly Route[] = before.flatMap((route) => patchRoute(run, route, patches) ?? []);
  for (const patch of patches) {
    if (isMerge(patch.operation) || patch.operation === 'REMOVE' || patch.operation === 'REPLACE') continue;
    const matches = namesRoute(patch) ? (route: Route) => matchesRoute(route, patch) : undefined;
    // Put first only where the route that is named is there at all.
    if (patch.operation === 'INSERT_FIRST' && matches !== undefined && !routes.some(matches)) continue;
    routes = editList(routes, patch, matches);
  }
  const list = run.list(routes, host.routes);
  if (list === before) return host;
  return run.with(host, { routes: list.length > 0 ? list : undefined });
}

function patchRoute(run: Run, original: Route, patches: readonly Patch[]): Route | undefined {
  let route = original;
  for (const patch of patches) {
    if (!matchesRoute(route, patch)) continue;
    if (patch.operation === 'REMOVE') return undefined;
    if (isMerge(patch.operation)) route = run.merge(route, patch);
  }
  return route;
}
