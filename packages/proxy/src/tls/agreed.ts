import type { TLSSocket } from 'node:tls';

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
