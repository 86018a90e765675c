import type { mesh } from '@mizzen/api';
import type { Protocol } from '@mizzen/model';
import type { types } from '@mizzen/xds';
import type { Build, ListenerClass } from '../listener/build.ts';
import { accessLogs } from './access-log.ts';
import { callReports } from './metrics-log.ts';
import { httpConnectionSettings } from './connection-settings.ts';
import { httpFilters } from './http-filters.ts';
import { HEADER_CASE, idleTimeout, proxyConfig, proxyHeaders } from './proxy-config.ts';
import { tracingConfig } from './tracing.ts';
import { defined, extension, typed } from './typed.ts';

type Manager = types.hcm.HttpConnectionManager;

export interface ConnectionManagerOptions {
  readonly listener: ListenerClass;
  /** The part before Istio's delimiter `;`. */
  readonly statPrefix: string;
  /** The name of a route configuration to be fetched, or the configuration itself. */
  readonly routes: string | types.route.RouteConfiguration;
  /** True on the mesh's edge: the address of the peer is the client's, not what a header says. */
  readonly useRemoteAddress: boolean;
  readonly protocol?: Protocol;
  /** The port that requests are for, of the service or the container; left out where there is no certain one. */
  readonly port?: number;
  /** Wildcard services among the destinations whose hosts are resolved per request. */
  readonly dynamicHosts?: readonly string[];
  /** Which requests are logged; all where it is left out. */
  readonly logged?: types.accesslog.AccessLogFilter;
  /** Set over everything else. */
  readonly settings?: Manager;
}

/** An HTTP connection manager, the filter that makes requests of bytes. */
export function httpConnectionManager(build: Build, options: ConnectionManagerOptions): types.listener.Filter {
  const { context } = build;
  const headers = proxyHeaders(context);
  const { tracing, useRequestIdForTraceSampling } = tracingConfig(build, options.listener);
  const idle = idleTimeout(context);
  const manager: Manager = {
    statPrefix: `${options.statPrefix};`,
    ...routesOf(options.routes),
    ...identity(build, options.listener),
    appendXForwardedPort: headers.xForwardedPort?.enabled === true ? true : undefined,
    ...pathNormalization(context.model.mesh.pathNormalization),
    useRemoteAddress: options.useRemoteAddress,
    proxy100Continue: true,
    streamIdleTimeout: '0s',
    commonHttpProtocolOptions: idle === undefined ? undefined : { idleTimeout: idle },
    generateRequestId: headers.requestId?.disabled === true ? false : undefined,
    requestIdExtension: {
      typedConfig: typed('envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig', { useRequestIdForTraceSampling }),
    },
    upgradeConfigs: [{ upgradeType: 'websocket' }],
    tracing,
    accessLog: accessLogs(build, options.listener, 'http', options.logged),
    accessLogOptions: callReports(build, options.listener),
    httpFilters: httpFilters(
      build,
      options.listener,
      options.protocol,
      options.port ?? 0,
      headers.envoyDebugHeaders?.disabled === true,
      options.dynamicHosts ?? [],
    ),
    ...options.settings,
    ...http1Options(build, options.listener),
    ...httpConnectionSettings(context),
  };
  return extension(
    'envoy.filters.network.http_connection_manager',
    'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    defined(manager),
  );
}

function routesOf(routes: string | types.route.RouteConfiguration): Manager {
  if (typeof routes !== 'string') return { routeConfig: routes };
  return {
    rds: { routeConfigName: routes, configSource: { ads: {}, initialFetchTimeout: '0s', resourceApiVersion: 'V3' } },
  };
}

/** How the proxy names itself, and what it says about the client's certificate in `x-forwarded-client-cert`. */
function identity({ context }: Build, listener: ListenerClass): Manager {
  const headers = proxyHeaders(context);
  const hidden = headers.server?.disabled === true;
  const server: Manager =
    listener === 'outbound'
      ? hidden
        ? { serverHeaderTransformation: 'PASS_THROUGH' }
        : {}
      : hidden
        ? { serverHeaderTransformation: 'PASS_THROUGH' }
        : { serverName: headers.server?.value ?? 'istio-envoy' };
  switch (listener) {
    case 'outbound':
      return server;
    case 'inbound': {
      const details = headers.setCurrentClientCertDetails;
      return {
        ...server,
        forwardClientCertDetails: forwardMode(headers.forwardedClientCert) ?? 'APPEND_FORWARD',
        setCurrentClientCertDetails: defined({
          subject: details?.subject ?? true,
          uri: details?.uri ?? true,
          dns: details?.dns ?? true,
          cert: details?.cert === true ? true : undefined,
          chain: details?.chain === true ? true : undefined,
        }),
      };
    }
    case 'gateway': {
      const topology = proxyConfig(context).gatewayTopology;
      const forward = forwardMode(topology?.forwardClientCertDetails) ?? 'SANITIZE_SET';
      const tells = forward === 'APPEND_FORWARD' || forward === 'SANITIZE_SET';
      return {
        ...server,
        xffNumTrustedHops: topology?.numTrustedProxies === 0 ? undefined : topology?.numTrustedProxies,
        forwardClientCertDetails: forward,
        setCurrentClientCertDetails: tells ? { subject: true, cert: true, dns: true, uri: true } : undefined,
      };
    }
  }
}

/** What only HTTP/1 has: upper case in the names of headers, and version 1.0 for nodes that ask for it. */
function http1Options({ context }: Build, listener: ListenerClass): Manager {
  const options = defined({
    acceptHttp10: context.node.metadata['HTTP10'] === '1' ? true : undefined,
    headerKeyFormat: proxyHeaders(context).preserveHttp1HeaderCase === true ? HEADER_CASE : undefined,
  });
  return Object.keys(options).length > 0 || listener === 'gateway' ? { httpProtocolOptions: options } : {};
}

function forwardMode(
  mode: mesh.ForwardClientCertDetails | undefined,
): types.hcm.HttpConnectionManager_ForwardClientCertDetails | undefined {
  switch (mode) {
    case 'SANITIZE':
    case 'FORWARD_ONLY':
    case 'APPEND_FORWARD':
    case 'SANITIZE_SET':
    case 'ALWAYS_FORWARD_ONLY':
      return mode;
    default:
      return undefined;
  }
}

/** MeshConfig's `pathNormalization`, which policies rely on: the path is made plain before anything compares it. */
function pathNormalization(setting: mesh.MeshConfig_ProxyPathNormalization | undefined): Manager {
  switch (setting?.normalization) {
    case 'NONE':
      return { normalizePath: false, pathWithEscapedSlashesAction: 'KEEP_UNCHANGED' };
    case 'MERGE_SLASHES':
      return { normalizePath: true, mergeSlashes: true, pathWithEscapedSlashesAction: 'KEEP_UNCHANGED' };
    case 'DECODE_AND_MERGE_SLASHES':
      return { normalizePath: true, mergeSlashes: true, pathWithEscapedSlashesAction: 'UNESCAPE_AND_FORWARD' };
    default:
      return { normalizePath: true, pathWithEscapedSlashesAction: 'KEEP_UNCHANGED' };
  }
}
