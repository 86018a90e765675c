import type { Bootstrap, Cluster } from '@mizzen/xds';

/** How a test's Envoy finds its control plane. */
export interface AdsBootstrapOptions {
  readonly node: { readonly id: string; readonly metadata?: Readonly<Record<string, unknown>> };
  readonly at: { readonly path: string } | { readonly host: string; readonly port: number };
  readonly incremental: boolean;
  /** An UpstreamTlsContext for the connection, without its `@type`. */
  readonly tls?: object;
  readonly token?: string;
}

const HTTP = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const ADS = { ads: {}, resourceApiVersion: 'V3' } as const;

/** The bootstrap of an Envoy that gets everything over one ADS stream. */
export function adsBootstrap({ node, at, incremental, tls, token }: AdsBootstrapOptions): Bootstrap {
  const address =
    'path' in at ? { pipe: { path: at.path } } : { socketAddress: { address: at.host, portValue: at.port } };
  const cluster = {
    name: 'xds',
    type: 'STATIC',
    connectTimeout: '2s',
    typedExtensionProtocolOptions: {
      [HTTP]: { '@type': `type.googleapis.com/${HTTP}`, explicitHttpConfig: { http2ProtocolOptions: {} } },
    },
    loadAssignment: { clusterName: 'xds', endpoints: [{ lbEndpoints: [{ endpoint: { address } }] }] },
    ...(tls === undefined
      ? {}
      : {
          transportSocket: {
            name: 'tls',
            typedConfig: {
              '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
              ...tls,
            },
          },
        }),
  } as Cluster;
  return {
    node: { cluster: 'test', ...node } as Bootstrap['node'],
    dynamicResources: {
      adsConfig: {
        apiType: incremental ? 'DELTA_GRPC' : 'GRPC',
        transportApiVersion: 'V3',
        setNodeOnFirstMessageOnly: true,
        grpcServices: [
          {
            envoyGrpc: {
              clusterName: 'xds',
              retryPolicy: { retryBackOff: { baseInterval: '0.05s', maxInterval: '0.2s' } },
            },
            ...(token === undefined ? {} : { initialMetadata: [{ key: 'authorization', value: `Bearer ${token}` }] }),
          },
        ],
      },
      ldsConfig: ADS,
      cdsConfig: ADS,
    },
    staticResources: { clusters: [cluster] },
  };
}
