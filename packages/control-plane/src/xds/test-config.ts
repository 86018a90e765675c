import type { Cluster, Listener } from '@mizzen/xds';
import type { NodeConfig } from './types.ts';

/** A small mesh: clusters by name and revision, each with endpoints, and one listener per route configuration. */
export interface TestMesh {
  readonly clusters: Readonly<Record<string, number>>;
  readonly endpoints: Readonly<Record<string, number>>;
  /** Route configuration → the clusters it leads to. */
  readonly routes: Readonly<Record<string, readonly string[]>>;
  readonly secret?: string;
}

export function configOf(mesh: TestMesh): NodeConfig {
  const clusters: Cluster[] = Object.entries(mesh.clusters).map(([name, revision]) => ({
    name,
    type: 'EDS',
    connectTimeout: `${revision}s`,
    edsClusterConfig: { edsConfig: { ads: {} } },
  }));
  const listeners: Listener[] = Object.keys(mesh.routes).map((name) => ({
    name: `listener-${name}`,
    filterChains: [
      {
        filters: [
          {
            name: 'hcm',
            typedConfig: {
              '@type':
                'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
              rds: { routeConfigName: name, configSource: { ads: {} } },
            },
          },
        ],
        transportSocket: {
          name: 'tls',
          typedConfig: {
            '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
            commonTlsContext: { tlsCertificateSdsSecretConfigs: [{ name: 'default', sdsConfig: { ads: {} } }] },
          },
        },
      },
    ],
  }));
  const secret = mesh.secret ?? 's1';
  return {
    extensions: [],
    clusters,
    listeners,
    endpoints: Object.entries(mesh.endpoints).map(([clusterName, port]) => ({
      clusterName,
      endpoints: [
        { lbEndpoints: [{ endpoint: { address: { socketAddress: { address: '127.0.0.9', portValue: port } } } }] },
      ],
    })),
    routes: Object.entries(mesh.routes).map(([name, targets]) => ({
      name,
      virtualHosts: targets.map((cluster) => ({
        name: cluster,
        domains: [cluster],
        routes: [{ match: { prefix: '/' }, route: { cluster } }],
      })),
    })),
    secret: (name, have) => {
      if (name !== 'default') return undefined;
      return have === secret
        ? 'keep'
        : { version: secret, secret: { name, genericSecret: { secret: { inlineString: secret } } } };
    },
  };
}
