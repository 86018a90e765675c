import type { Bootstrap, Cluster, JsonObject } from '@mizzen/xds';
import { METRICS_SERVICE } from './names.ts';
import { serviceCluster } from './service-cluster.ts';
import { typed } from './filters/typed.ts';
import type { Node } from './types.ts';

export interface AdsBootstrapOptions {
  readonly node: Node;
  /** Path of the unix socket on which ADS is served. */
  readonly xds: string;
  /** Path of the unix socket on which Envoy's admin interface listens, for this user alone. */
  readonly admin: string;
  /** Path of the unix socket on which entries are taken that metrics are made of. */
  readonly metrics: string;
}

/** The cluster that everything else comes from. */
const XDS_CLUSTER = 'xds';
/** A control process that was started anew listens again within a moment; proxies that all lost it come back spread out. */
const RECONNECT = { baseInterval: '0.1s', maxInterval: '1s' };
/** More than one machine's applications open, and few enough to stay clear of the limit of open files. */
const MAX_CONNECTIONS = '50000';
/** Istio's limit for regular expressions, which is higher than Envoy's own. */
const REGEX_PROGRAM_SIZE = 32_768;

/** Of Envoy's own tags those that are not about names with Istio's delimiter. */
const DEFAULT_TAGS = [
  'response_code',
  'response_code_class',
  'listener_address',
  'rds_route_config',
  'tcp_prefix',
  'mongo_prefix',
  'ssl_version',
  'ssl_cipher',
  'ssl_curve',
  'ssl_sigalg',
];

/**
 * What an Envoy of this machine is started with: who it is and where to ask. All else comes over one stream (delta ADS,
 * secrets with it).
 */
export function adsBootstrap({ node, xds, admin, metrics }: AdsBootstrapOptions): Bootstrap {
  const ads = { ads: {}, resourceApiVersion: 'V3', initialFetchTimeout: '0s' } as const;
  return {
    node: {
      id: node.id,
      cluster: serviceCluster(node.metadata),
      metadata: node.metadata as JsonObject,
    },
    admin: { address: { pipe: { path: admin, mode: 0o600 } } },
    dynamicResources: {
      adsConfig: {
        apiType: 'DELTA_GRPC',
        transportApiVersion: 'V3',
        setNodeOnFirstMessageOnly: true,
        grpcServices: [
          { envoyGrpc: { clusterName: XDS_CLUSTER, retryPolicy: { retryBackOff: RECONNECT } }, timeout: '0s' },
        ],
      },
      cdsConfig: ads,
      ldsConfig: ads,
    },
    staticResources: { clusters: [grpcCluster(XDS_CLUSTER, xds), grpcCluster(METRICS_SERVICE, metrics)] },
    bootstrapExtensions: [
      {
        name: 'envoy.bootstrap.internal_listener',
        typedConfig: typed('envoy.extensions.bootstrap.internal_listener.v3.InternalListener', {}),
      },
    ],
    // Names end with Istio's delimiter `;`, so that dots within them are not taken for Envoy's own.
    statsConfig: {
      useAllDefaultTags: false,
      statsTags: [
        { tagName: 'envoy.cluster_name', regex: String.raw`^cluster\.((.+?);\.)` },
        { tagName: 'envoy.http_conn_manager_prefix', regex: String.raw`^http\.((.+?);\.)` },
        ...DEFAULT_TAGS.map((name) => ({ tagName: `envoy.${name}` })),
      ],
    },
    layeredRuntime: {
      layers: [{ name: 'mizzen', staticLayer: { 're2.max_program_size.error_level': REGEX_PROGRAM_SIZE } }],
    },
    overloadManager: {
      resourceMonitors: [
        {
          name: 'envoy.resource_monitors.global_downstream_max_connections',
          typedConfig: typed(
            'envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
            { maxActiveDownstreamConnections: MAX_CONNECTIONS },
          ),
        },
      ],
    },
  };
}

function grpcCluster(name: string, path: string): Cluster {
  return {
    name,
    altStatName: `${name};`,
    type: 'STATIC',
    connectTimeout: '1s',
    loadAssignment: {
      clusterName: name,
      endpoints: [{ lbEndpoints: [{ endpoint: { address: { pipe: { path } } } }] }],
    },
    typedExtensionProtocolOptions: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': typed(
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        { explicitHttpConfig: { http2ProtocolOptions: {} } },
      ),
    },
  };
}
