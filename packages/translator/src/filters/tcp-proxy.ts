import type { types } from '@mizzen/xds';
import { hasIstioFilters } from '../context.ts';
import { extensionsKey, networkExtensions } from '../extension/filters.ts';
import type { Phase } from '../extension/list.ts';
import type { Build, ListenerClass } from '../listener/build.ts';
import { accessLogs } from './access-log.ts';
import { networkExtAuthzFilters } from './ext-authz.ts';
import { TCP_METADATA_EXCHANGE, statsFilters } from './istio.ts';
import { connectionReports } from './metrics-log.ts';
import { networkRbacFilters } from './network-rbac.ts';
import { idleTimeout } from './proxy-config.ts';
import { defined, extension } from './typed.ts';
import { remember } from '../listener/build.ts';

type Filter = types.listener.Filter;
type TcpProxy = types.tcpProxy.TcpProxy;

/** The filter that carries bytes to a cluster, without an access log. */
export function plainTcpProxy(cluster: string): Filter {
  return tcpProxyFilter({ statPrefix: cluster, cluster });
}

/** The filter that carries bytes to a cluster or to one of several by weight. */
export function tcpProxy(build: Build, listener: ListenerClass, config: TcpProxy): Filter {
  return tcpProxyFilter({
    ...config,
    idleTimeout: config.idleTimeout ?? idleTimeout(build.context),
    accessLog: accessLogs(build, listener, 'tcp'),
    ...connectionReports(build, listener),
  });
}

function tcpProxyFilter(config: TcpProxy): Filter {
  return extension(
    'envoy.filters.network.tcp_proxy',
    'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
    defined(config),
  );
}

/**
 * The network filters of a chain that carries bytes, before the one that carries them: who the peer is (where mutual
 * TLS may have been spoken), external authorization, authorization, metrics; and extensions, where there is a certain port.
 */
export function networkFilters(
  build: Build,
  listener: ListenerClass,
  options: { readonly peer: boolean; readonly guarded: boolean; readonly port?: number },
): readonly Filter[] {
  const { port } = options;
  const extensions = port === undefined ? '-' : extensionsKey(build, listener, port);
  const extended = (phase: Phase): readonly Filter[] =>
    port === undefined ? [] : networkExtensions(build, listener, port, phase);
  const key = `${listener} ${options.peer} ${options.guarded} ${extensions}`;
  return remember(build.networkFilters, key, () => [
    ...(options.peer ? peerFilters(build) : []),
    ...(options.guarded ? networkExtAuthzFilters(build) : []),
    ...extended('AUTHN'),
    ...extended('AUTHZ'),
    ...(options.guarded ? networkRbacFilters(build) : []),
    ...extended('STATS'),
    ...extended('UNSPECIFIED'),
    ...statsFilters(build, listener),
  ]);
}

/** Learns who the peer is; only Istio's proxies and Mizzen's own do. */
export function peerFilters(build: Build): readonly Filter[] {
  return hasIstioFilters(build.context) ? [TCP_METADATA_EXCHANGE] : [];
}
