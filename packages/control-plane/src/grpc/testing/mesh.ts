import type { Cluster, Listener, TypedExtensionConfig } from '@mizzen/xds';
import type { NodeConfig } from '../../xds/types.ts';

const TYPE = 'type.googleapis.com/envoy.';
const ads = { ads: {}, resourceApiVersion: 'V3' } as const;

/** What a test's Envoy is to do: a listener whose route leads to one of some clusters. */
export interface SmallMesh {
  /** Route configuration → where it listens and to which cluster it leads. */
  readonly listeners: Readonly<Record<string, { readonly port: number; readonly to: string }>>;
  /** Cluster → port of its one endpoint, and a connect timeout to tell versions apart. */
  readonly clusters: Readonly<Record<string, { readonly port: number; readonly timeout?: string }>>;
  /** Value of the response header that an HTTP filter of its own adds, fetched by itself. */
  readonly extension?: string;
  /** The listeners speak TLS with the secret `default`. */
  readonly tls?: boolean;
  readonly secret?: NodeConfig['secret'];
}

export function smallMesh({ listeners, clusters, extension, tls, secret }: SmallMesh): NodeConfig {
  return {
    listeners: Object.entries(listeners).map(([name, { port }]) => listener(name, port, extension, tls ?? false)),
    routes: Object.entries(listeners).map(([name, { to }]) => ({
      name,
      virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: to } }] }],
    })),
    clusters: Object.entries(clusters).map(([name, { timeout }]): Cluster => ({
      name,
      type: 'EDS',
      connectTimeout: timeout ?? '1s',
      edsClusterConfig: { edsConfig: { ...ads, initialFetchTimeout: '0s' } },
    })),
    endpoints: Object.entries(clusters).map(([clusterName, { port }]) => ({
      clusterName,
      endpoints: [
        { lbEndpoints: [{ endpoint: { address: { socketAddress: { address: '127.0.0.1', portValue: port } } } }] },
      ],
    })),
    extensions: extension === undefined ? [] : [mutation(extension)],
    secret: secret ?? (() => undefined),
  };
}

const MUTATION = 'extensions.filters.http.header_mutation.v3.HeaderMutation';

function mutation(value: string): TypedExtensionConfig {
  return {
    name: 'mark',
    typedConfig: {
      '@type': `${TYPE}${MUTATION}`,
      mutations: {
        responseMutations: [
          { append: { header: { key: 'x-mark', value }, appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD' } },
        ],
      },
    },
  };
}

function listener(name: string, port: number, extension: string | undefined, tls: boolean): Listener {
  const mark = { name: 'mark', configDiscovery: { configSource: ads, typeUrls: [`${TYPE}${MUTATION}`] } };
  const router = { name: 'router', typedConfig: { '@type': `${TYPE}extensions.filters.http.router.v3.Router` } };
  const hcm = {
    '@type': `${TYPE}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    statPrefix: name,
    rds: { routeConfigName: name, configSource: ads },
    httpFilters: extension === undefined ? [router] : [mark, router],
  };
  const socket = {
    name: 'tls',
    typedConfig: {
      '@type': `${TYPE}extensions.transport_sockets.tls.v3.DownstreamTlsContext`,
      commonTlsContext: { tlsCertificateSdsSecretConfigs: [{ name: 'default', sdsConfig: ads }] },
    },
  };
  return {
    name: `listener-${name}`,
    address: { socketAddress: { address: '127.0.0.1', portValue: port } },
    filterChains: [
      {
        filters: [{ name: 'http', typedConfig: hcm }],
        ...(tls ? { transportSocket: socket } : {}),
      },
    ],
  };
}
