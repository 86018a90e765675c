import type { XdsServer } from '../../conformance/xds-server.ts';
import type { TestCertificate } from '../../packages/proxy/src/tls/testing/certificates.ts';

export const KINDS = ['listener', 'route', 'cluster', 'endpoint', 'secret'] as const;
export type Changed = (typeof KINDS)[number];

/** Upstreams and certificates that versions are told apart by. */
export const RESIDUES = 16;

export interface HotPorts {
  readonly plain: number;
  readonly tls: number;
  readonly admin: number;
  readonly xds: number;
  /** One upstream a residue. */
  readonly upstreams: readonly number[];
}

const HTTP2 = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const type = (name: string): string => `type.googleapis.com/${name}`;
const at = (port: number): object => ({ socketAddress: { address: '127.0.0.1', portValue: port } });
const ads = { ads: {}, resourceApiVersion: 'V3' };

/** A bootstrap that gets all but its xDS server from there. */
export function hotBootstrap({ admin, xds }: HotPorts): object {
  return {
    node: { id: 'hot', cluster: 'bench' },
    admin: { address: at(admin) },
    dynamicResources: {
      adsConfig: {
        apiType: 'GRPC',
        transportApiVersion: 'V3',
        grpcServices: [{ envoyGrpc: { clusterName: 'xds' } }],
      },
      cdsConfig: ads,
      ldsConfig: ads,
    },
    staticResources: {
      clusters: [
        {
          name: 'xds',
          type: 'STATIC',
          typedExtensionProtocolOptions: {
            [HTTP2]: { '@type': type(HTTP2), explicitHttpConfig: { http2ProtocolOptions: {} } },
          },
          loadAssignment: { clusterName: 'xds', endpoints: [{ lbEndpoints: [{ endpoint: { address: at(xds) } }] }] },
        },
      ],
    },
  };
}

/** Puts a version of one kind into force. Each is told apart by what clients see: see `versionOf` of hot-client.ts. */
export function putVersion(
  server: XdsServer,
  kind: Changed,
  version: number,
  ports: HotPorts,
  certificates: readonly TestCertificate[],
): number {
  switch (kind) {
    case 'listener':
      return server.put('listener', {
        plain: listener('plain', ports.plain, version, undefined),
        tls: listener('tls', ports.tls, version, TLS),
      });
    case 'route':
      return server.put('route', { routes: routes(version) });
    case 'cluster':
      return server.put('cluster', {
        replaced: {
          name: 'replaced',
          type: 'STATIC',
          connectTimeout: `${5 + (version % 2)}s`,
          loadAssignment: assignment('replaced', ports.upstreams[version % RESIDUES]!),
        },
        followed: { name: 'followed', type: 'EDS', edsClusterConfig: { edsConfig: ads } },
      });
    case 'endpoint':
      return server.put('endpoint', { followed: assignment('followed', ports.upstreams[version % RESIDUES]!) });
    case 'secret': {
      const { certificatePem, keyPem } = certificates[version % RESIDUES]!;
      const pair = { certificateChain: { inlineString: certificatePem }, privateKey: { inlineString: keyPem } };
      return server.put('secret', { server: { name: 'server', tlsCertificate: pair } });
    }
  }
}

const TLS = {
  name: 'envoy.transport_sockets.tls',
  typedConfig: {
    '@type': type('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext'),
    commonTlsContext: { tlsCertificateSdsSecretConfigs: [{ name: 'server', sdsConfig: ads }] },
  },
};

function listener(name: string, port: number, version: number, transportSocket: object | undefined): object {
  const manager = {
    '@type': type('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
    statPrefix: name,
    serverName: `v${version}`,
    rds: { routeConfigName: 'routes', configSource: ads },
    httpFilters: [
      {
        name: 'envoy.filters.http.router',
        typedConfig: { '@type': type('envoy.extensions.filters.http.router.v3.Router') },
      },
    ],
  };
  return {
    name,
    address: at(port),
    filterChains: [
      {
        ...(transportSocket === undefined ? {} : { transportSocket }),
        filters: [{ name: 'envoy.filters.network.http_connection_manager', typedConfig: manager }],
      },
    ],
  };
}

function routes(version: number): object {
  return {
    name: 'routes',
    responseHeadersToAdd: [{ header: { key: 'x-route', value: `v${version}` } }],
    virtualHosts: [
      {
        name: 'all',
        domains: ['*'],
        routes: [
          { match: { prefix: '/cluster' }, route: { cluster: 'replaced' } },
          { match: { prefix: '/' }, route: { cluster: 'followed' } },
        ],
      },
    ],
  };
}

function assignment(clusterName: string, port: number): object {
  return { clusterName, endpoints: [{ lbEndpoints: [{ endpoint: { address: at(port) } }] }] };
}
