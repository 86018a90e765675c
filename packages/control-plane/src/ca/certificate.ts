import { createHash, createPublicKey, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { bits, boolean, explicit, implicit, integer, octets, oid, sequence, set, time, utf8 } from './der.ts';

/** Alternative names: a workload has the URI of its identity, a server its hosts and IPv4 addresses. */
export interface Names {
  readonly uri?: string;
  readonly hosts?: readonly string[];
  readonly addresses?: readonly string[];
}

/** What is put into a certificate. Times in milliseconds since the epoch. */
export interface CertificateContents {
  readonly subject: { readonly organization?: string };
  readonly issuer: { readonly organization?: string };
  readonly publicKey: KeyObject;
  readonly notBefore: number;
  readonly notAfter: number;
  /** Critical when the subject is empty (RFC 5280, 4.2.1.6). */
  readonly names?: Names;
  readonly authority: boolean;
  /** Key whose identifier names the issuer; the subject's own in a self-signed certificate. */
  readonly issuerKey: KeyObject;
}

const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const SERVER_AUTH = oid('1.3.6.1.5.5.7.3.1');
const CLIENT_AUTH = oid('1.3.6.1.5.5.7.3.2');

/** Signs an X.509 v3 certificate (RFC 5280) with an ECDSA P-256 key and returns its DER. */
export function signCertificate(contents: CertificateContents, privateKey: KeyObject): Buffer {
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const body = sequence(
    explicit(0, integer(2)),
    integer(serial),
    ECDSA_WITH_SHA256,
    name(contents.issuer),
    sequence(time(contents.notBefore), time(contents.notAfter)),
    name(contents.subject),
    contents.publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions(contents))),
  );
  return sequence(body, ECDSA_WITH_SHA256, bits(sign('sha256', body, privateKey)));
}

export function toPem(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replaceAll(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function extensions(contents: CertificateContents): Buffer[] {
  const list: Buffer[] = [];
  // digitalSignature and keyEncipherment, as Istio's workload certificates have; an authority signs certificates.
  list.push(
    extension('2.5.29.15', true, contents.authority ? bits(Buffer.from([0x04]), 2) : bits(Buffer.from([0xa0]), 5)),
  );
  if (!contents.authority) list.push(extension('2.5.29.37', false, sequence(SERVER_AUTH, CLIENT_AUTH)));
  list.push(extension('2.5.29.19', true, contents.authority ? sequence(boolean(true)) : sequence()));
  if (contents.authority) list.push(extension('2.5.29.14', false, octets(keyIdentifier(contents.publicKey))));
  list.push(extension('2.5.29.35', false, sequence(implicit(0, keyIdentifier(contents.issuerKey)))));
  if (contents.names !== undefined) {
    const { uri, hosts = [], addresses = [] } = contents.names;
    const names = [
      ...(uri === undefined ? [] : [implicit(6, Buffer.from(uri, 'ascii'))]),
      ...hosts.map((host) => implicit(2, Buffer.from(host, 'ascii'))),
      ...addresses.map((address) => implicit(7, Buffer.from(address.split('.').map(Number)))),
    ];
    list.push(extension('2.5.29.17', contents.subject.organization === undefined, sequence(...names)));
  }
  return list;
}

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));

function name(parts: { readonly organization?: string }): Buffer {
  if (parts.organization === undefined) return sequence();
  return sequence(set(sequence(oid('2.5.4.10'), utf8(parts.organization))));
}

/** SHA-1 of the public key's bits (RFC 5280, 4.2.1.2, method 1); an uncompressed P-256 point is the last 65 bytes. */
function keyIdentifier(key: KeyObject): Buffer {
  const publicKey = key.type === 'public' ? key : createPublicKey(key);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha1').update(spki.subarray(-65)).digest();
}
