import type { Protocol } from '@mizzen/model';

/** Names of clusters, routes and listeners, as Istio gives them. One place, because listeners, routes and clusters refer to each other only by name. */

export const BLACK_HOLE = 'BlackHoleCluster';
export const PASSTHROUGH = 'PassthroughCluster';
export const INBOUND_PASSTHROUGH = 'InboundPassthroughCluster';
/** Virtual host and route for hosts that nobody declared, by outbound traffic policy. */
export const BLOCK_ALL = 'block_all';
export const ALLOW_ANY = 'allow_any';

/** The same where undeclared hosts are resolved by name. */
export const ALLOW_ANY_DYNAMIC_DNS = 'allow_any_dynamic_dns';
export const ALLOW_ANY_DYNAMIC_DNS_CLUSTER = 'AllowAnyDynamicDNSCluster';

/** Route configuration of a sidecar's HTTP proxy port. */
export const HTTP_PROXY_ROUTE = 'http_proxy';
/** Cluster and internal listener in which a CONNECT to an HTTP port ends; only on one machine. */
export const CONNECT_TUNNEL = 'mizzen_connect';
/** Leads to where `mizzen up` keeps traces. */
export const TRACES = 'mizzen_traces';
/** The cluster of an Envoy's bootstrap over which it tells `mizzen up` what metrics are made of. */
export const METRICS_SERVICE = 'mizzen_metrics';

/** `outbound|80|v1|reviews.default.svc.cluster.local`; `subset` is empty for the whole service. */
export function outboundCluster(port: number, subset: string, hostname: string): string {
  return `outbound|${port}|${subset}|${hostname}`;
}

/** `inbound|8080||`, by the port traffic comes in on. */
export function inboundCluster(port: number): string {
  return `inbound|${port}||`;
}

/** `outbound_.80_.v1_.reviews.default.svc.cluster.local`: the SNI of mutual TLS between sidecars. */
export function outboundSni(port: number, subset: string, hostname: string): string {
  return `outbound_.${port}_.${subset}_.${hostname}`;
}

/** Route configuration for every HTTP service on `port`. */
export function portRoute(port: number): string {
  return String(port);
}

/** Route configuration of one service's port whose protocol is sniffed. */
export function sniffedRoute(hostname: string, port: number): string {
  return `${hostname}:${port}`;
}

/** Route configuration of plain HTTP servers of gateways on one port; `bind` is empty for all addresses. */
export function gatewayHttpRoute(port: number, bind: string): string {
  return bind === '' ? `http.${port}` : `http.${port}.${bind}`;
}

/** Route configuration of one HTTPS server of a gateway. `bind` is empty for all addresses. */
export function gatewayHttpsRoute(
  port: number,
  portName: string,
  gatewayName: string,
  gatewayNamespace: string,
  bind: string,
): string {
  const name = `https.${port}.${portName}.${gatewayName}.${gatewayNamespace}`;
  return bind === '' ? name : `${name}.${bind}`;
}

/** `reviews.default.svc.cluster.local:80`, the name of a virtual host. */
export function virtualHost(hostname: string, port: number): string {
  return `${hostname}:${port}`;
}

/** `10.96.0.12_443`, the name of a listener. */
export function listenerName(address: string, port: number): string {
  return `${address}_${port}`;
}

/** Protocols that are surely HTTP. */
export function isHttp(protocol: Protocol): boolean {
  return protocol === 'http' || protocol === 'http2' || protocol === 'grpc' || protocol === 'grpc-web';
}

/** Protocols that always use HTTP/2 upstream. */
export function isHttp2(protocol: Protocol): boolean {
  return protocol === 'http2' || protocol === 'grpc' || protocol === 'grpc-web';
}

/** TLS whose content the mesh does not see. */
export function isTls(protocol: Protocol): boolean {
  return protocol === 'tls' || protocol === 'https';
}

/** Bytes: no HTTP, no sniffing. */
export function isTcp(protocol: Protocol): boolean {
  return (
    protocol === 'tcp' ||
    protocol === 'mongo' ||
    protocol === 'mysql' ||
    protocol === 'redis' ||
    protocol === 'tls' ||
    protocol === 'https'
  );
}
