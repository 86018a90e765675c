import { type Resource, type networking, writtenAt } from '@mizzen/api';
import type { Path, Ref } from '@mizzen/diagnostics';
import type { Route, RouteConfiguration, VirtualHost } from '@mizzen/xds';
import type { OriginTree } from '../origins.ts';
import type { Origin } from '../types.ts';

/** A route with where it, and the parts of it that a person would look for, were written. */
export interface BuiltRoute {
  readonly route: Route;
  readonly origin: Origin | undefined;
  readonly parts: readonly { readonly path: Path; readonly origin: Origin }[];
}

export interface BuiltVirtualHost {
  readonly name: string;
  domains: readonly string[];
  readonly routes: readonly BuiltRoute[];
  readonly origin: Origin | undefined;
  readonly message: Omit<VirtualHost, 'name' | 'domains' | 'routes'>;
}

/** One route with nothing but a place in a resource behind it. */
export function plainRoute(route: Route, origin: Origin | undefined): BuiltRoute {
  return { route, origin, parts: [] };
}

/** An origin below the `spec` of a resource, or of what it was made from. */
export function at(resource: Resource | Ref, ...path: (string | number)[]): Origin {
  return 'metadata' in resource ? writtenAt(resource, path) : { resource, path };
}

/** Istio refuses bigger bodies already when they are written down. */
const MAX_DIRECT_RESPONSE = 1024 * 1024;

/** Puts a route configuration together and notes the origin of each of its parts. */
export function assemble(
  name: string,
  hosts: readonly BuiltVirtualHost[],
  tree: OriginTree,
  ignorePort: boolean,
): RouteConfiguration {
  const virtualHosts = hosts.map((host, i): VirtualHost => {
    if (host.origin !== undefined) tree.set(['virtualHosts', i], host.origin);
    for (const [j, { origin, parts }] of host.routes.entries()) {
      if (origin !== undefined) tree.set(['virtualHosts', i, 'routes', j], origin);
      for (const part of parts) tree.set(['virtualHosts', i, 'routes', j, ...part.path], part.origin);
    }
    const routes = host.routes.map(({ route }) => route);
    return { name: host.name, domains: host.domains, ...(routes.length === 0 ? {} : { routes }), ...host.message };
  });
  return {
    name,
    virtualHosts,
    validateClusters: false,
    maxDirectResponseBodySizeBytes: MAX_DIRECT_RESPONSE,
    ...(ignorePort ? { ignorePortInHostMatching: true } : {}),
  };
}

export type VirtualService = Resource<networking.VirtualService>;
