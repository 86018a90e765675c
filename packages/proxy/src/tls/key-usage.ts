import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { ILLEGAL_PARAMETER } from './alert.ts';
import { keyUsage, mayBe } from './certificate-fields.ts';
import { reason } from './failure.ts';

/** A peer has used its key for what its certificate does not say, whoever vouches for it. */
export interface Misuse {
  readonly reason: string;
  readonly alert: number;
  readonly counter: 'connection_error';
}

/** BoringSSL asks this whether chains are verified or not. */
export function misuseOf(certificate: X509Certificate | undefined, secure: TLSSocket): Misuse | undefined {
  const usage = certificate === undefined ? undefined : keyUsage(certificate);
  if (usage === undefined) return undefined;
  if (usage === 'unreadable') return misuse(CANNOT_PARSE_LEAF_CERT);
  return mayBe(usage, signs(secure) ? 'digitalSignature' : 'keyEncipherment') ? undefined : misuse(BIT_INCORRECT);
}

/** With RSA alone, a server proves itself by reading what it is sent. */
export function signs(secure: TLSSocket): boolean {
  return /^(?:TLS_|ECDHE-|DHE-)/.test(secure.getCipher().name);
}

function misuse(why: string): Misuse {
  return { reason: why, alert: ILLEGAL_PARAMETER, counter: 'connection_error' };
}

const CANNOT_PARSE_LEAF_CERT = reason(272, 'CANNOT_PARSE_LEAF_CERT');
const BIT_INCORRECT = reason(302, 'KEY_USAGE_BIT_INCORRECT');
