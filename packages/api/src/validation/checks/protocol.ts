const HTTP = new Set(['http', 'http2', 'http_proxy', 'grpc', 'grpc-web']);
const TLS = new Set(['https', 'tls']);
const OTHER = new Set(['tcp', 'udp', 'mongo', 'redis', 'mysql', 'hbone', 'double-hbone']);

/** Protocol names are written in any case. An empty one means that the protocol is to be detected. */
export function isKnownProtocol(name: string): boolean {
  const lower = name.toLowerCase();
  return HTTP.has(lower) || TLS.has(lower) || OTHER.has(lower);
}
export function isHttpProtocol(name: string | undefined): boolean {
  return HTTP.has((name ?? '').toLowerCase());
}
export function isTlsProtocol(name: string | undefined): boolean {
  return TLS.has((name ?? '').toLowerCase());
}
export const PROTOCOLS = ['HTTP', 'HTTP2', 'HTTPS', 'GRPC', 'GRPC-WEB', 'TLS', 'TCP', 'UDP', 'MONGO', 'REDIS', 'MYSQL'];
export const PROTOCOLS_HELP = `one of ${PROTOCOLS.map((p) => `\`${p}\``).join(', ')}`;
