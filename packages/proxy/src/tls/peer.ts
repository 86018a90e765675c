import type { X509Certificate } from 'node:crypto';
import { crypto } from '../node-tls.ts';
import type { TLSSocket } from 'node:tls';
import type { TlsCertificateProgram, ValidationProgram } from '../program/types.ts';
import type { CertificateDetails, CertificateMarks, LocalDetails, PeerTls } from '../types.ts';
import { otherNames } from './certificate-fields.ts';
import { issuerNameOf, subjectOf } from './distinguished-name.ts';
import { sessionOf, type TlsSession } from './session.ts';
import { NO_NAMES, parseSubjectAltNames, type SubjectAltNames } from './subject-alt-names.ts';
import { chainOf, fingerprint, issuerOf } from './verify.ts';

/** What is known of a TLS peer, read from the socket once; what few ask for is worked out when asked. */
export class Peer implements PeerTls {
  serverName = '';
  handshakeEnd = -1;
  readonly authenticated: boolean;
  /** Set where somebody was asked to vouch for it. */
  verified = false;
  readonly localUriSan: string;
  readonly version: string;
  readonly cipher: string;
  readonly session: TlsSession;
  readonly #certificate: X509Certificate | undefined;
  readonly #names: SubjectAltNames;
  #subject: string | undefined;
  #fingerprint: string | undefined;

  readonly #local: LocalCertificate;
  readonly #validation: ValidationProgram | undefined;
  #details: CertificateDetails | undefined;

  constructor(
    socket: TLSSocket,
    authenticated: boolean,
    local: LocalCertificate,
    certificate: X509Certificate | undefined = socket.getPeerX509Certificate(),
    validation?: ValidationProgram,
  ) {
    this.#certificate = certificate;
    this.#names = this.#certificate === undefined ? NO_NAMES : parseSubjectAltNames(this.#certificate.subjectAltName);
    this.authenticated = authenticated && this.#certificate !== undefined;
    this.#local = local;
    this.#validation = validation;
    this.localUriSan = local.names.uri[0] ?? '';
    this.version = socket.getProtocol() ?? '';
    this.cipher = socket.getCipher().name;
    this.session = sessionOf(socket);
  }

  get uriSans(): readonly string[] {
    return this.#names.uri;
  }

  get dnsSans(): readonly string[] {
    return this.#names.dns;
  }

  get subject(): string {
    return (this.#subject ??= this.#certificate === undefined ? '' : subjectOf(this.#certificate));
  }

  get peerFingerprint(): string {
    return (this.#fingerprint ??= this.#certificate === undefined ? '' : fingerprint(this.#certificate));
  }

  get certificates(): CertificateDetails | undefined {
    const certificate = this.#certificate;
    if (certificate === undefined) return undefined;
    return (this.#details ??= {
      peerNames: this.#names,
      issuer: issuerNameOf(certificate),
      serial: certificate.serialNumber.toLowerCase(),
      fingerprint1: certificate.fingerprint.replaceAll(':', '').toLowerCase(),
      validFrom: Date.parse(certificate.validFrom),
      validTo: Date.parse(certificate.validTo),
    });
  }

  get local(): LocalDetails {
    return this.#local;
  }

  get shownCertificates(): readonly CertificateMarks[] {
    return this.#certificate === undefined ? [] : chainOf(this.#certificate).map(marksOf);
  }

  get issuerCertificate(): CertificateMarks | undefined {
    const issuer = this.#certificate === undefined ? undefined : issuerOf(this.#certificate, this.#validation);
    return issuer === undefined ? undefined : marksOf(issuer);
  }

  get peerOtherNames(): readonly string[] {
    return this.#certificate === undefined ? [] : otherNames(this.#certificate).map(({ value }) => value);
  }

  get localOtherNames(): readonly string[] {
    return this.#local.otherNames;
  }

  readonly peerCertificatePem = (): string => this.#certificate?.toString() ?? '';
  readonly peerChainPem = (): string =>
    this.#certificate === undefined ? '' : chainOf(this.#certificate).map(String).join('');
}

function marksOf(certificate: X509Certificate): CertificateMarks {
  return {
    serial: certificate.serialNumber.toLowerCase(),
    fingerprint1: certificate.fingerprint.replaceAll(':', '').toLowerCase(),
    fingerprint256: fingerprint(certificate),
  };
}

/** Our own certificate as it is asked about; read once. */
export interface LocalCertificate {
  readonly names: SubjectAltNames;
  readonly subject: string;
  readonly otherNames: readonly string[];
  /** OpenSSL's name of the curve; undefined: not an elliptic key. */
  readonly curve: string | undefined;
}

const known = new WeakMap<TlsCertificateProgram, LocalCertificate>();
const NONE: LocalCertificate = { names: NO_NAMES, subject: '', otherNames: [], curve: undefined };

export function localCertificate(certificate: TlsCertificateProgram | undefined): LocalCertificate {
  if (certificate === undefined) return NONE;
  let local = known.get(certificate);
  if (local === undefined) {
    const read = new (crypto().X509Certificate)(certificate.certificateChainPem);
    const { asymmetricKeyType, asymmetricKeyDetails } = read.publicKey;
    local = {
      names: parseSubjectAltNames(read.subjectAltName),
      subject: subjectOf(read),
      otherNames: otherNames(read).map(({ value }) => value),
      curve: asymmetricKeyType === 'ec' ? asymmetricKeyDetails?.namedCurve : undefined,
    };
    known.set(certificate, local);
  }
  return local;
}
