import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { DownstreamTlsProgram, TlsCertificateProgram } from '../program/types.ts';
import type { PeerTls } from '../types.ts';
import type { ClientHello } from './client-hello.ts';
import { cipherListFor, cipherNumber, keyTypeOf, suitesOf } from './ciphers.ts';
import { handshakeFailure, NO_CIPHER, NO_SIGNATURE, NOT_ENCRYPTED, WRONG_CURVE } from './failure.ts';
import { localCertificate, type LocalCertificate } from './peer.ts';
import { GROUP_NAMES, NO_SESSION, sessionOf } from './session.ts';

const VERSIONS = [
  ['TLSv1.3', 0x0304],
  ['TLSv1.2', 0x0303],
  ['TLSv1.1', 0x0302],
  ['TLSv1', 0x0301],
] as const;
/** OpenSSL's names of curves → their numbers in a ClientHello. */
const GROUPS: Readonly<Record<string, number>> = { prime256v1: 23, secp384r1: 24, secp521r1: 25 };

/** What logs tell of a client that has shown nothing yet. */
export function stranger(
  certificate: TlsCertificateProgram | undefined,
  agreed: { readonly version?: string; readonly cipher?: string; readonly session?: PeerTls['session'] } = {},
): PeerTls {
  const local: LocalCertificate = localCertificate(certificate);
  return {
    authenticated: false,
    uriSans: [],
    dnsSans: [],
    subject: '',
    localUriSan: local.names.uri[0] ?? '',
    peerFingerprint: '',
    peerCertificatePem: () => '',
    // BoringSSL's, as long as nothing is agreed on.
    version: agreed.version ?? 'TLSv1.2',
    cipher: agreed.cipher ?? '',
    session: agreed.session ?? NO_SESSION,
    local,
    localOtherNames: local.otherNames,
  };
}

/** A handshake that OpenSSL has ended, in BoringSSL's words; no reason: the client has hung up. */
export function failureOf(
  error: NodeJS.ErrnoException,
  secure: TLSSocket,
  raw: Socket,
  hello: ClientHello,
  program: DownstreamTlsProgram,
  certificate: TlsCertificateProgram | undefined,
): { readonly reason: string; readonly peer: PeerTls } {
  const reason = handshakeFailure(error) ?? '';
  const name = error.code?.slice('ERR_SSL_'.length) ?? '';
  if (name === 'UNSUPPORTED_PROTOCOL') return { reason, peer: stranger(certificate) };
  const version = agreedVersion(hello, program);
  const tls13 = version === 'TLSv1.3';
  const local = localCertificate(certificate);
  switch (name) {
    case 'NO_SHARED_CIPHER': {
      const group = GROUPS[local.curve ?? ''];
      const wrong = !tls13 && group !== undefined && hello.groups.length > 0 && !hello.groups.includes(group);
      return { reason: wrong ? WRONG_CURVE : reason, peer: stranger(certificate, { version }) };
    }
    case 'NO_SHARED_SIGNATURE_ALGORITHMS':
      return { reason: tls13 ? NO_SIGNATURE : NO_CIPHER, peer: stranger(certificate, { version }) };
    case 'NO_SUITABLE_SIGNATURE_ALGORITHM':
    case 'INAPPROPRIATE_FALLBACK':
      return { reason, peer: stranger(certificate, { version }) };
    case 'NO_SUITABLE_KEY_SHARE': {
      const [cipher] = cipherListFor(suitesOf(program), hello, tls13, 'ec').split(':');
      return { reason, peer: stranger(certificate, { version, cipher: cipher! }) };
    }
  }
  const agreed = tls13
    ? { version, cipher: secure.getCipher()?.name ?? '', session: { ...sessionOf(secure), id: '' } }
    : { version, ...agreedOn12(hello, program, local) };
  const inClear = tls13 && error.message.includes('SSL alert number') && endsInClear(raw, hello);
  return { reason: inClear ? NOT_ENCRYPTED : reason, peer: stranger(certificate, agreed) };
}

/** The highest that both take, or BoringSSL's without one. */
function agreedVersion(hello: ClientHello, { maxVersion, fips }: DownstreamTlsProgram): string {
  const highest = maxVersion === undefined || fips === true ? 'TLSv1.3' : maxVersion;
  const offered = hello.supportedVersions.length > 0 ? hello.supportedVersions : [hello.version];
  return VERSIONS.find(([name, number]) => name <= highest && offered.includes(number))?.[0] ?? 'TLSv1.2';
}

/** OpenSSL tells of TLS 1.2 what was agreed on once the handshake is over. */
function agreedOn12(
  hello: ClientHello,
  program: DownstreamTlsProgram,
  { curve }: LocalCertificate,
): { readonly cipher: string; readonly session: PeerTls['session'] } {
  const key = curve === undefined ? 'rsa' : 'ec';
  const suites = cipherListFor(suitesOf(program), hello, false, key).split(':');
  const cipher = suites.find((name) => {
    const number = keyTypeOf(name) === key ? cipherNumber(name) : undefined;
    return number !== undefined && hello.cipherSuites.includes(number);
  });
  const groups = (program.ecdhCurves ?? 'X25519:P-256').split(':');
  const group = groups.find((name) => hello.groups.some((number) => GROUP_NAMES[number] === name));
  return { cipher: cipher ?? '', session: { group: group ?? '', id: '' } };
}

/** All that has come after the ClientHello is an alert that is not encrypted, and ChangeCipherSpec at most: OpenSSL's clients do so. */
function endsInClear(raw: Socket, { size }: ClientHello): boolean {
  const more = raw.bytesRead - size;
  return more === ALERT_BYTES || more === ALERT_BYTES + CHANGE_CIPHER_SPEC_BYTES;
}

const ALERT_BYTES = 7;
const CHANGE_CIPHER_SPEC_BYTES = 6;
