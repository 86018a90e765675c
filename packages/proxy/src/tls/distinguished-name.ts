import type { X509Certificate } from 'node:crypto';
import { derChildren, readDer, readOid, type DerElement } from './der.ts';

/** Attributes that OpenSSL has names for and BoringSSL, with which Envoy reads certificates, has not. */
const UNNAMED = new Set(['jurisdictionL', 'jurisdictionST', 'jurisdictionC', 'organizationIdentifier']);
const VERSION = 0xa0;

/** The subject's name as RFC 2253 writes it. */
export function subjectOf(certificate: X509Certificate): string {
  return rfc2253(certificate.subject, () => attributesOf(certificate, 'subject'));
}

/** The issuer's name as RFC 2253 writes it. */
export function issuerNameOf(certificate: X509Certificate): string {
  return rfc2253(certificate.issuer, () => attributesOf(certificate, 'issuer'));
}

/**
 * Node gives one relative name a line in the certificate's order, values of one joined by ` + `; RFC 2253 has the reverse of
 * both. Letters beyond ASCII are told by their bytes, and values of attributes without a name by all of their DER.
 */
function rfc2253(text: string | undefined, attributes: () => readonly DerElement[]): string {
  if (text === undefined || text === '') return '';
  let at = 0;
  let der: readonly DerElement[] | undefined;
  const written = (attribute: string): string => {
    const index = at++;
    const equals = attribute.indexOf('=');
    const name = attribute.slice(0, equals);
    if (!UNNAMED.has(name) && !/^[\d.]+$/.test(name)) return escaped(attribute);
    try {
      der ??= attributes();
      const [oid, value] = derChildren(der[index]);
      return `${readOid(oid!.content)}=#${value!.whole.toString('hex').toUpperCase()}`;
    } catch (error) {
      if (error instanceof RangeError) return escaped(attribute);
      throw error;
    }
  };
  return text
    .split('\n')
    .map((line) => line.split(' + ').map(written).toReversed().join('+'))
    .toReversed()
    .join(',');
}

function escaped(text: string): string {
  return text.replaceAll(/[^\0-\x7f]+/gu, (letters) => {
    let bytes = '';
    for (const byte of Buffer.from(letters)) bytes += `\\${byte.toString(16).toUpperCase()}`;
    return bytes;
  });
}

/** Each a pair of type and value, in the certificate's order. */
function attributesOf(certificate: X509Certificate, whose: 'issuer' | 'subject'): DerElement[] {
  const [tbs] = derChildren(readDer(certificate.raw)[0]);
  // serialNumber, signature, issuer, validity, subject
  const fields = derChildren(tbs).filter(({ tag }) => tag !== VERSION);
  return derChildren(fields[whose === 'issuer' ? 2 : 4]).flatMap((relative) => derChildren(relative));
}
