import type { TLSSocket } from 'node:tls';
import { sessionOf } from './session.ts';

/** What a connection for HTTP offers where nothing else is configured. */
export const HTTP_ALPN: readonly string[] = ['http/1.1'];
export const HTTP2_ALPN: readonly string[] = ['h2'];

/** Handshakes by what was agreed on. */
export type AgreedCounts = Readonly<Record<'ciphers' | 'versions' | 'curves' | 'sigalgs', Record<string, number>>>;

/** Counts a finished handshake under its cipher suite, its version and its group, as `ssl.ciphers.…` and so on. */
export function countAgreed(
  socket: TLSSocket,
  { ciphers, versions, curves, sigalgs }: AgreedCounts,
  /** What the peer has signed with. */
  signature: string | undefined,
): void {
  const { name } = socket.getCipher();
  const version = socket.getProtocol() ?? '';
  ciphers[name] = (ciphers[name] ?? 0) + 1;
  versions[version] = (versions[version] ?? 0) + 1;
  const { group } = sessionOf(socket);
  if (group !== '') curves[group] = (curves[group] ?? 0) + 1;
  if (signature !== undefined) sigalgs[signature] = (sigalgs[signature] ?? 0) + 1;
}
