/** Pieces of bootstraps for tests, as both Envoy and this proxy read them. */

const TYPE = 'type.googleapis.com/';

export function socketAddress(port: number, address = '127.0.0.1'): object {
  return { socketAddress: { address, portValue: port } };
}

export function staticCluster(name: string, ports: readonly number[], more: object = {}): object {
  return {
    name,
    type: 'STATIC',
    connectTimeout: '2s',
    loadAssignment: {
      clusterName: name,
      endpoints: [{ lbEndpoints: ports.map((port) => ({ endpoint: { address: socketAddress(port) } })) }],
    },
    ...more,
  };
}

export function hcm(routes: readonly object[], more: object = {}): object {
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typedConfig: {
      '@type': `${TYPE}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
      statPrefix: 'test',
      routeConfig: { name: 'routes', virtualHosts: [{ name: 'all', domains: ['*'], routes }] },
      httpFilters: [
        {
          name: 'envoy.filters.http.router',
          typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.router.v3.Router` },
        },
      ],
      ...more,
    },
  };
}

export function tcpProxy(cluster: string, more: object = {}): object {
  return {
    name: 'envoy.filters.network.tcp_proxy',
    typedConfig: {
      '@type': `${TYPE}envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy`,
      statPrefix: 'tcp',
      cluster,
      ...more,
    },
  };
}

export function listener(port: number, filterChains: readonly object[], more: object = {}): object {
  return { name: `listener-${port}`, address: socketAddress(port), filterChains, ...more };
}

export const tlsInspector: object = {
  name: 'envoy.filters.listener.tls_inspector',
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector` },
};

export function routeTo(cluster: string, prefix = '/', more: object = {}): object {
  return { match: { prefix }, route: { cluster, ...more } };
}

export function accessLog(path: string, format: string): object {
  return {
    name: 'envoy.access_loggers.file',
    typedConfig: {
      '@type': `${TYPE}envoy.extensions.access_loggers.file.v3.FileAccessLog`,
      path,
      logFormat: { textFormatSource: { inlineString: `${format}\n` } },
    },
  };
}

/** Works where stdout is a pipe, too. */
export function stdoutLog(format: string): object {
  return {
    name: 'envoy.access_loggers.stdout',
    typedConfig: {
      '@type': `${TYPE}envoy.extensions.access_loggers.stream.v3.StdoutAccessLog`,
      logFormat: { textFormatSource: { inlineString: `${format}\n` } },
    },
  };
}

/** Fields that are formats each, in one line of JSON. */
export function jsonLog(jsonFormat: object): object {
  return {
    name: 'envoy.access_loggers.stdout',
    typedConfig: {
      '@type': `${TYPE}envoy.extensions.access_loggers.stream.v3.StdoutAccessLog`,
      logFormat: { jsonFormat },
    },
  };
}

export interface Identity {
  readonly certificateFile: string;
  readonly keyFile: string;
}

function commonTls(
  identity: Identity | undefined,
  rootFile: string,
  alpn: readonly string[],
  san: string | undefined,
): object {
  return {
    ...(identity === undefined
      ? {}
      : {
          tlsCertificates: [
            { certificateChain: { filename: identity.certificateFile }, privateKey: { filename: identity.keyFile } },
          ],
        }),
    validationContext: {
      trustedCa: { filename: rootFile },
      ...(san === undefined ? {} : { matchTypedSubjectAltNames: [{ sanType: 'URI', matcher: { exact: san } }] }),
    },
    ...(alpn.length === 0 ? {} : { alpnProtocols: alpn }),
  };
}

export function downstreamTls(
  identity: Identity,
  rootFile: string,
  options: { alpn?: readonly string[]; requireClient?: boolean; san?: string } = {},
): object {
  return {
    name: 'envoy.transport_sockets.tls',
    typedConfig: {
      '@type': `${TYPE}envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext`,
      requireClientCertificate: options.requireClient ?? true,
      commonTlsContext: commonTls(identity, rootFile, options.alpn ?? [], options.san),
    },
  };
}

export function upstreamTls(
  identity: Identity | undefined,
  rootFile: string,
  options: { alpn?: readonly string[]; sni?: string; san?: string; params?: object } = {},
): object {
  return {
    name: 'envoy.transport_sockets.tls',
    typedConfig: {
      '@type': `${TYPE}envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext`,
      ...(options.sni === undefined ? {} : { sni: options.sni }),
      commonTlsContext: {
        ...commonTls(identity, rootFile, options.alpn ?? [], options.san),
        ...(options.params === undefined ? {} : { tlsParams: options.params }),
      },
    },
  };
}

export function bootstrap(listeners: readonly object[], clusters: readonly object[], more: object = {}): object {
  return { staticResources: { listeners, clusters, ...more } };
}
