import type { Route, types } from '@mizzen/xds';
import { httpTwinNames } from '../cluster/http-twin.ts';
import type { TranslationContext } from '../context.ts';
import type { BuiltRoute, BuiltVirtualHost } from './built.ts';

/** Sends requests to the clusters that are for HTTP, where a sniffed port has one; bytes of a CONNECT stay as they are. */
export function toHttpTwins(context: TranslationContext, hosts: readonly BuiltVirtualHost[]): BuiltVirtualHost[] {
  const twins = httpTwinNames(context);
  if (twins.size === 0) return [...hosts];
  const redirected = (built: BuiltRoute): BuiltRoute => {
    const { route } = built.route;
    if (route === undefined || built.route.match?.connectMatcher !== undefined) return built;
    return { ...built, route: { ...built.route, route: renamed(route, twins) } satisfies Route };
  };
  return hosts.map((host) => ({ ...host, routes: host.routes.map(redirected) }));
}

function renamed(action: types.route.RouteAction, twins: ReadonlyMap<string, string>): types.route.RouteAction {
  const of = (name: string | undefined): string | undefined => twins.get(name ?? '') ?? name;
  const { cluster, weightedClusters, requestMirrorPolicies } = action;
  return {
    ...action,
    ...(cluster === undefined ? {} : { cluster: of(cluster) }),
    ...(weightedClusters === undefined
      ? {}
      : {
          weightedClusters: {
            ...weightedClusters,
            clusters: weightedClusters.clusters?.map((entry) => ({ ...entry, name: of(entry.name) })),
          },
        }),
    ...(requestMirrorPolicies === undefined
      ? {}
      : { requestMirrorPolicies: requestMirrorPolicies.map((entry) => ({ ...entry, cluster: of(entry.cluster) })) }),
  };
}
