import { TypeUrl } from '@mizzen/xds';
import type { ClusterHost } from '../cluster/host.ts';
import type { ProxyNode } from '../process/proxy-node.ts';

/** `/config_dump`: who it is and what is in force, in Envoy's shape. Secrets are named, what they hold is left out. */
export function configDump(node: ProxyNode): object {
  const dump = 'type.googleapis.com/envoy.admin.v3.';
  const typed = (type: string, resource: unknown): object => ({ '@type': type, ...(resource as object) });
  return {
    configs: [
      { '@type': `${dump}BootstrapConfigDump`, bootstrap: { node: { id: node.id } } },
      {
        '@type': `${dump}ClustersConfigDump`,
        dynamicActiveClusters: [...node.clusters.active()].map(({ resource }) => ({
          cluster: typed(TypeUrl.cluster, resource),
        })),
      },
      {
        '@type': `${dump}ListenersConfigDump`,
        dynamicListeners: node.listeners.active().map(({ listener, resource }) => ({
          name: listener.name,
          activeState: { listener: typed(TypeUrl.listener, resource) },
        })),
      },
      {
        '@type': `${dump}RoutesConfigDump`,
        dynamicRouteConfigs: [...node.routes.entries()].flatMap(([, { resource, version }]) =>
          resource === undefined ? [] : [{ versionInfo: version, routeConfig: typed(TypeUrl.route, resource) }],
        ),
      },
      {
        '@type': `${dump}SecretsConfigDump`,
        dynamicActiveSecrets: [...node.secrets.names()].map((name) => ({
          name,
          secret: typed(TypeUrl.secret, { name }),
        })),
      },
    ],
  };
}

/** `/clusters?format=json`. */
export function clusterStatuses(node: ProxyNode): object {
  return {
    clusterStatuses: [...node.clusters.active()].map(({ cluster }) => ({
      name: cluster.name,
      addedViaApi: true,
      hostStatuses: [...cluster.hosts].map((host) => ({
        address: { socketAddress: { address: host.address, portValue: host.port } },
        hostname: host.hostname,
        weight: host.weight,
        healthStatus: healthStatus(host),
        stats: Object.entries({ ...host.stats, rq_active: host.active }).map(([name, value]) => ({
          name,
          value: String(value),
        })),
      })),
    })),
  };
}

/** `/listeners?format=json`. */
export function listenerStatuses(node: ProxyNode): object {
  return {
    listenerStatuses: node.listeners.active().map(({ listener }) => {
      const [first, ...others] = [...listener.bindings].map((binding) => ({
        socketAddress: { address: binding.target.address, portValue: binding.port },
      }));
      return {
        name: listener.name,
        localAddress: first,
        ...(others.length > 0 ? { additionalLocalAddresses: others } : {}),
      };
    }),
  };
}

function healthStatus(host: ClusterHost): object {
  const { health } = host.endpoint;
  return {
    edsHealthStatus: health === 'UNKNOWN' ? 'HEALTHY' : health,
    ...(host.ejected ? { failedOutlierCheck: true } : {}),
    ...(host.checked === 'unhealthy' ? { failedActiveHealthCheck: true } : {}),
  };
}
