import type { Bootstrap, Cluster, ClusterLoadAssignment, Listener, RouteConfiguration, Secret } from '@mizzen/xds';
import { typed } from './filters/typed.ts';
import type { Node, Translation } from './types.ts';

export interface StaticBootstrapOptions {
  readonly node: Node;
  /** The secrets that TLS contexts name; one that is not known is a RangeError. */
  readonly secret: (name: string) => Secret | undefined;
}

/**
 * A translation as a bootstrap file for plain Envoy with nothing left to fetch: routes inside their listeners,
 * endpoints inside their clusters, secrets beside them.
 */
export function staticBootstrap({ resources }: Translation, { node, secret }: StaticBootstrapOptions): Bootstrap {
  const routes = new Map(resources.routes.map((route) => [route.name ?? '', route]));
  const endpoints = new Map(resources.endpoints.map((assignment) => [assignment.clusterName ?? '', assignment]));
  const names = new Set<string>();
  const listeners = resources.listeners.map((listener) => inlined(listener, routes, names));
  const clusters = resources.clusters.map((cluster) => inlined(withEndpoints(cluster, endpoints), routes, names));
  const secrets = [...names].map((name) => {
    const found = secret(name);
    if (found === undefined) throw new RangeError(`no secret \`${name}\``);
    return found;
  });
  return {
    node: { id: node.id, cluster: node.id.split('~')[2] ?? node.id },
    staticResources: { listeners, clusters, secrets },
    ...(usesInternalListeners(listeners, clusters)
      ? {
          bootstrapExtensions: [
            {
              name: 'envoy.bootstrap.internal_listener',
              typedConfig: typed('envoy.extensions.bootstrap.internal_listener.v3.InternalListener', {}),
            },
          ],
        }
      : {}),
  };
}

function withEndpoints(cluster: Cluster, endpoints: ReadonlyMap<string, ClusterLoadAssignment>): Cluster {
  if (cluster.type !== 'EDS') return cluster;
  const { edsClusterConfig, ...rest } = cluster;
  const name = edsClusterConfig?.serviceName ?? cluster.name ?? '';
  return { ...rest, type: 'STATIC', loadAssignment: endpoints.get(name) ?? { clusterName: name } };
}

/** A copy in which route configurations are in place of their names, and secrets are referred to as static ones. */
function inlined<T extends Listener | Cluster>(
  resource: T,
  routes: ReadonlyMap<string, RouteConfiguration>,
  secrets: Set<string>,
): T {
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== 'object' || value === null) return value;
    const object = value as Readonly<Record<string, unknown>>;
    if ('sdsConfig' in object && typeof object['name'] === 'string') {
      secrets.add(object['name']);
      return { name: object['name'] };
    }
    const out: Record<string, unknown> = {};
    for (const [key, child] of Object.entries(object)) {
      const route = key === 'rds' ? (child as { readonly routeConfigName?: string }).routeConfigName : undefined;
      if (route === undefined) out[key] = visit(child);
      else out['routeConfig'] = visit(routes.get(route) ?? { name: route, virtualHosts: [] });
    }
    return out;
  };
  return visit(resource) as T;
}

function usesInternalListeners(listeners: readonly Listener[], clusters: readonly Cluster[]): boolean {
  return (
    listeners.some((listener) => listener.internalListener !== undefined) ||
    JSON.stringify(clusters).includes('"envoyInternalAddress"')
  );
}
