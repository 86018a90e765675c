import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { TlsCertificateProgram } from '../program/types.ts';
import type { PeerTls } from '../types.ts';
import { NO_NAMES, parseSubjectAltNames, type SubjectAltNames } from './subject-alt-names.ts';
import { fingerprint } from './verify.ts';

/** What is known of a TLS peer, read from the socket once; what few ask for is worked out when asked. */
export class Peer implements PeerTls {
  readonly authenticated: boolean;
  readonly localUriSan: string;
  readonly version: string;
  readonly cipher: string;
  readonly #certificate: X509Certificate | undefined;
  readonly #names: SubjectAltNames;
  #subject: string | undefined;
  #fingerprint: string | undefined;

  constructor(socket: TLSSocket, authenticated: boolean, localUriSan: string) {
    this.#certificate = socket.getPeerX509Certificate();
    this.#names = this.#certificate === undefined ? NO_NAMES : parseSubjectAltNames(this.#certificate.subjectAltName);
    this.authenticated = authenticated && this.#certificate !== undefined;
    this.localUriSan = localUriSan;
    this.version = socket.getProtocol() ?? '';
    this.cipher = socket.getCipher().name;
  }

  get uriSans(): readonly string[] {
    return this.#names.uri;
  }

  get dnsSans(): readonly string[] {
    return this.#names.dns;
  }

  get subject(): string {
    return (this.#subject ??= this.#certificate === undefined ? '' : rfc2253(this.#certificate.subject));
  }

  get peerFingerprint(): string {
    return (this.#fingerprint ??= this.#certificate === undefined ? '' : fingerprint(this.#certificate));
  }

  readonly peerCertificatePem = (): string => this.#certificate?.toString() ?? '';
}

/** Node gives one `key=value` a line in the certificate's order; RFC 2253 is the reverse, with commas. */
function rfc2253(subject: string | undefined): string {
  if (subject === undefined || subject === '') return '';
  return subject.split('\n').reverse().join(',');
}

const localNames = new WeakMap<TlsCertificateProgram, string>();

/** First URI of our own certificate; empty when it has none. */
export function localUriSan(certificate: TlsCertificateProgram | undefined): string {
  if (certificate === undefined) return '';
  let name = localNames.get(certificate);
  if (name === undefined) {
    name = parseSubjectAltNames(new X509Certificate(certificate.certificateChainPem).subjectAltName).uri[0] ?? '';
    localNames.set(certificate, name);
  }
  return name;
}
