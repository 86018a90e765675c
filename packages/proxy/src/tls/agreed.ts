import type { TLSSocket } from 'node:tls';

/** What a connection for HTTP offers where nothing else is configured. */
export const HTTP_ALPN: readonly string[] = ['http/1.1'];
export const HTTP2_ALPN: readonly string[] = ['h2'];

/** Counts a finished handshake under its cipher suite and its version, as `ssl.ciphers.…` and `ssl.versions.…`. */
export function countAgreed(
  socket: TLSSocket,
  ciphers: Record<string, number>,
  versions: Record<string, number>,
): void {
  const { name } = socket.getCipher();
  const version = socket.getProtocol() ?? '';
  ciphers[name] = (ciphers[name] ?? 0) + 1;
  versions[version] = (versions[version] ?? 0) + 1;
}
