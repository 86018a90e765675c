import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { signs } from './key-usage.ts';

/** By key: what it signs with unless somebody wants something else. */
const ALGORITHMS: Readonly<Record<string, string>> = {
  prime256v1: 'ecdsa_secp256r1_sha256',
  secp384r1: 'ecdsa_secp384r1_sha384',
  secp521r1: 'ecdsa_secp521r1_sha512',
  ed25519: 'ed25519',
  rsa: 'rsa_pss_rsae_sha256',
};

/**
 * What the peer has signed the handshake with, by BoringSSL's name; undefined: nothing, or it is not known. Node does not
 * say: it follows from the peer's key, and from what this side wants (`wanted`, a list with colons).
 */
export function peerSignature(
  socket: TLSSocket,
  certificate: X509Certificate | undefined,
  side: 'client' | 'server',
  wanted: string | undefined,
): string | undefined {
  if (certificate === undefined || socket.isSessionReused()) return undefined;
  if (side === 'client' && !signs(socket)) return undefined;
  const { asymmetricKeyType = '', asymmetricKeyDetails } = certificate.publicKey;
  const algorithm =
    ALGORITHMS[asymmetricKeyType === 'ec' ? (asymmetricKeyDetails?.namedCurve ?? '') : asymmetricKeyType];
  if (wanted === undefined || algorithm === undefined) return algorithm;
  const list = wanted.split(':');
  const family = algorithm.slice(0, algorithm.indexOf('_') + 1);
  return list.includes(algorithm) ? algorithm : list.find((name) => name.startsWith(family));
}
