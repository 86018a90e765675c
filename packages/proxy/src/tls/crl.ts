import type { X509Certificate } from 'node:crypto';
import { crypto } from '../node-tls.ts';
import { issuerAndSerial } from './certificate-fields.ts';
import { DER, derChildren, readDer, readDerTime, readOid } from './der.ts';

/** A certificate revocation list (RFC 5280, 5). */
export interface RevocationList {
  readonly issuer: Buffer;
  readonly signed: Buffer;
  readonly hash: string | undefined;
  readonly signature: Buffer;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Serial numbers, hexadecimal. */
  readonly revoked: ReadonlySet<string>;
}

const HASHES: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
};
const PEM = /-----BEGIN X509 CRL-----([\s\S]*?)-----END X509 CRL-----/g;

/** Throws a RangeError for what is no list. */
export function parseRevocationLists(pem: string): RevocationList[] {
  return [...pem.matchAll(PEM)].map(([, text = '']) => parseList(Buffer.from(text, 'base64')));
}

function parseList(bytes: Buffer): RevocationList {
  const [tbs, algorithm, signature] = derChildren(readDer(bytes)[0]);
  const fields = derChildren(tbs);
  // The version is left out by the oldest ones.
  const first = fields[0]?.tag === DER.integer ? 1 : 0;
  const issuer = fields[first + 1];
  const times = fields.filter(({ tag }) => tag === DER.utcTime || tag === DER.generalizedTime);
  const list = fields.slice(first + 3).find(({ tag }) => tag === DER.sequence);
  if (issuer === undefined || times[0] === undefined || signature === undefined) throw new RangeError('list');
  return {
    issuer: issuer.whole,
    signed: tbs!.whole,
    hash: HASHES[readOid(derChildren(algorithm)[0]!.content)],
    // The first byte of a bit string counts unused bits.
    signature: signature.content.subarray(1),
    thisUpdate: readDerTime(times[0]),
    nextUpdate: times[1] === undefined ? Infinity : readDerTime(times[1]),
    revoked: new Set(
      list === undefined ? [] : derChildren(list).map((entry) => derChildren(entry)[0]!.content.toString('hex')),
    ),
  };
}

/** What the lists say of a certificate signed `by` somebody, as OpenSSL's code; undefined: it is not revoked. */
export function checkRevoked(
  certificate: X509Certificate,
  by: X509Certificate | undefined,
  lists: readonly RevocationList[],
  now: number,
): string | undefined {
  const { issuer, serial } = issuerAndSerial(certificate);
  const own = lists.filter((list) => list.issuer.equals(issuer));
  if (own.length === 0 || by === undefined) return 'UNABLE_TO_GET_CRL';
  for (const list of own) {
    if (list.hash === undefined || !crypto().verify(list.hash, list.signed, by.publicKey, list.signature))
      return 'CRL_SIGNATURE_FAILURE';
    if (list.thisUpdate > now) return 'CRL_NOT_YET_VALID';
    if (list.nextUpdate < now) return 'CRL_HAS_EXPIRED';
  }
  return own.some((list) => list.revoked.has(serial.toString('hex'))) ? 'CERT_REVOKED' : undefined;
}
