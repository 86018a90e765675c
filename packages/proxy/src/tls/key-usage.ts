import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { ILLEGAL_PARAMETER } from './alert.ts';
import { keyUsage, mayBe } from './certificate-fields.ts';
import { reason } from './failure.ts';

/** A peer has used its key for what its certificate does not say, whoever vouches for it. */
export interface Misuse {
  readonly reason: string;
  /** Undefined below TLS 1.3: there it shows when the key is used, and the peer is told nothing of it. */
  readonly alert: number | undefined;
  readonly counter: 'connection_error';
}

/** BoringSSL asks this whether chains are verified or not. */
export function misuseOf(certificate: X509Certificate | undefined, secure: TLSSocket): Misuse | undefined {
  const usage = certificate === undefined ? undefined : keyUsage(certificate);
  if (usage === undefined) return undefined;
  if (usage !== 'unreadable' && mayBe(usage, signs(secure) ? 'digitalSignature' : 'keyEncipherment')) return undefined;
  return {
    reason: usage === 'unreadable' ? CANNOT_PARSE_LEAF_CERT : BIT_INCORRECT,
    alert: secure.getProtocol() === 'TLSv1.3' ? ILLEGAL_PARAMETER : undefined,
    counter: 'connection_error',
  };
}

/** With RSA alone, a server proves itself by reading what it is sent. */
export function signs(secure: TLSSocket): boolean {
  return /^(?:TLS_|ECDHE-|DHE-)/.test(secure.getCipher().name);
}

const CANNOT_PARSE_LEAF_CERT = reason(272, 'CANNOT_PARSE_LEAF_CERT');
const BIT_INCORRECT = reason(302, 'KEY_USAGE_BIT_INCORRECT');
