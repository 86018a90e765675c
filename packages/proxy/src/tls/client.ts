import type { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { tls } from '../node-tls.ts';
import type { Clock } from '../deps.ts';
import type { TlsCertificateProgram, UpstreamTlsProgram, ValidationProgram } from '../program/types.ts';
import { countAgreed } from './agreed.ts';
import { alarm, CERTIFICATE_UNKNOWN } from './alert.ts';
import { peerSignature } from './signature.ts';
import { otherNames } from './certificate-fields.ts';
import type { TlsContexts, TlsMaterial } from './context.ts';
import type { KeyLogger } from './key-log.ts';
import {
  handshakeFailure,
  laterErrors,
  NO_VERSIONS,
  NOBODY_VOUCHES,
  SECRET_MISSING,
  unusable,
  verifyFailure,
} from './failure.ts';
import { dnsNameMatches, parseSubjectAltNames } from './subject-alt-names.ts';
import { misuseOf, type Misuse } from './key-usage.ts';
import { chainError, SERVER_AUTH, listed, takesAll, verifyPeer } from './verify.ts';

/**
 * Where a host keeps the last session, so that its next connection costs no signature. A resumed connection shows no
 * certificate: that whoever holds the session's key is the peer that was verified is all there is, and enough for as
 * long as what was demanded of it stays the same and its certificate has not expired.
 */
export interface SessionSlot {
  session: Buffer | undefined;
  /** What the peer was verified by. */
  material: TlsMaterial | undefined;
  /** When the peer's certificate expires, milliseconds since the epoch. */
  validUntil: number;
}

/** The SNI that is sent, empty for none; `verified`: the certificate must have it among its names. */
export interface ExpectedName {
  readonly serverName: string;
  readonly verified: boolean;
  /** The certificate must have one of these instead. */
  readonly subjectAltNames?: readonly string[];
}

export function newSessionSlot(): SessionSlot {
  return { session: undefined, material: undefined, validUntil: 0 };
}

export interface UpstreamTlsStats {
  handshake: number;
  connection_error: number;
  fail_verify_error: number;
  fail_verify_san: number;
  fail_verify_cert_hash: number;
  session_reused: number;
  /** Handshakes by what was agreed on. */
  readonly ciphers: Record<string, number>;
  readonly versions: Record<string, number>;
  readonly curves: Record<string, number>;
  readonly sigalgs: Record<string, number>;
  /** Connections that failed as secrets had not come yet. */
  readonly secrets: { notReady: number };
}

type Counter = Exclude<keyof UpstreamTlsStats, 'ciphers' | 'versions' | 'curves' | 'sigalgs' | 'secrets'>;

/** Bytes that the length of a server name has room for: what does not fit is not left out. */
const MAX_NAME = 255;
const NAME_TOO_LONG = 'TLS error: the server name is too long';

/** The client side of one TLS context of a cluster. */
export class UpstreamTls {
  readonly #program: UpstreamTlsProgram;
  readonly #contexts: TlsContexts;
  readonly #stats: UpstreamTlsStats;
  readonly #clock: Clock;
  readonly #logKey: KeyLogger | undefined;
  #material: TlsMaterial | undefined;

  constructor(program: UpstreamTlsProgram, contexts: TlsContexts, clock: Clock, stats: UpstreamTlsStats) {
    this.#logKey = contexts.keyLogger(program);
    this.#program = program;
    this.#clock = clock;
    this.#contexts = contexts;
    this.#stats = stats;
  }

  /** What this side shows now. */
  certificate(): TlsCertificateProgram | undefined {
    return this.#material?.certificate;
  }

  /** Otherwise why there is nothing to shake hands with. */
  #choose(): TlsMaterial | string {
    try {
      // What is left of a cluster that went goes on with what it had.
      const context = this.#contexts.client(this.#program, this.#material) ?? this.#material;
      if (context === undefined) this.#stats.secrets.notReady++;
      return context ?? SECRET_MISSING;
    } catch (error) {
      return unusable(error);
    }
  }

  /**
   * Shakes hands over a socket that is connecting. Exactly one callback is called, unless the socket fails to connect at
   * all: then it is the socket's own `error` that tells. After `onFail` the connection is gone; its argument is empty
   * when the peer hung up without a word.
   */
  connect(
    raw: Socket,
    slot: SessionSlot,
    name: ExpectedName,
    onReady: (socket: TLSSocket) => void,
    onFail: (reason: string) => void,
    override?: readonly string[],
    fallbackAlpn: readonly string[] = [],
  ): void {
    const configured = override ?? this.#program.alpnProtocols;
    const alpn = configured.length === 0 ? fallbackAlpn : configured;
    const { serverName } = name;
    const material = Buffer.byteLength(serverName) > MAX_NAME ? NAME_TOO_LONG : this.#choose();
    if (typeof material === 'string') {
      raw.destroy();
      onFail(material);
      return;
    }
    this.#material = material;
    if (agreesOnNothing(this.#program)) {
      raw.once('connect', () => {
        this.#stats.connection_error++;
        raw.destroy();
        onFail(NO_VERSIONS);
      });
      return;
    }
    const offered = slot.material === material && slot.validUntil > this.#clock.wall() ? slot.session : undefined;
    const keep = this.#program.maxSessionKeys > 0;
    const secure = tls().connect({
      socket: raw,
      secureContext: material.context,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(serverName === '' ? {} : { servername: asServerName(serverName) }),
      ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
      ...(offered === undefined ? {} : { session: offered }),
    });
    this.#logKey?.(secure, raw);
    const fail = (reason: string, counter: Counter | undefined): void => {
      settle();
      slot.session = undefined;
      // Who just hangs up has made no mistake in the handshake.
      if (reason !== '' && counter !== undefined) this.#stats[counter]++;
      secure.destroy();
      raw.destroy();
      onFail(reason);
    };
    const onError = (error: NodeJS.ErrnoException): void =>
      fail(handshakeFailure(error, secure.getPeerX509Certificate() === undefined) ?? '', 'connection_error');
    const onClose = (): void => fail('', 'connection_error');
    const settle = (): void => {
      secure.off('error', onError);
      secure.off('close', onClose);
      alarmed.forget();
      secure.on('error', (error) => void (this.#stats.connection_error += laterErrors(error)));
    };
    secure.on('error', onError);
    secure.on('close', onClose);
    // Sessions are kept only once the peer has been found to be who it should be.
    let verified = false;
    let early: Buffer | undefined;
    const store = (session: Buffer): void => {
      slot.session = session;
      slot.material = material;
    };
    if (keep) {
      secure.on('session', (session) => {
        if (verified) store(session);
        else early = session;
      });
    }
    const forgives = takesAll(material.validation);
    const judge = (): ReturnType<typeof verify> | Misuse => {
      const certificate = secure.getPeerX509Certificate();
      if (certificate === undefined && secure.isSessionReused()) return undefined;
      const misuse = misuseOf(certificate, secure);
      if (misuse?.alert !== undefined) return misuse;
      const refused = verify(secure, certificate, material, name, this.#clock.wall());
      if (refused === undefined) return misuse;
      if (!forgives) return refused;
      if (refused.counter !== undefined) this.#stats[refused.counter]++;
      return misuse;
    };
    let judged: 'taken' | 'refused' | undefined;
    const refuse = ({ reason, counter, alert }: NonNullable<ReturnType<typeof judge>>): void => {
      judged = 'refused';
      if (alert !== undefined) alarmed.ring(alert);
      fail(reason, counter);
    };
    const alarmed = alarm(
      secure,
      'client',
      (record) => void raw.write(record),
      () => {
        const refused = judge();
        if (refused === undefined) judged = 'taken';
        else refuse(refused);
      },
    );
    secure.once('secureConnect', () => {
      if (judged === 'refused') return;
      const refused = judged === 'taken' ? undefined : judge();
      if (refused !== undefined) return refuse(refused);
      const resumed = secure.isSessionReused();
      const certificate = secure.getPeerX509Certificate();
      settle();
      verified = true;
      if (certificate !== undefined) slot.validUntil = certificate.validToDate.getTime();
      if (early !== undefined) store(early);
      this.#stats.handshake++;
      countAgreed(secure, this.#stats, peerSignature(secure, certificate, 'client', this.#program.signatureAlgorithms));
      if (resumed) this.#stats.session_reused++;
      onReady(secure);
    });
  }
}

/** Node refuses addresses, which Envoy sends as they are. OpenSSL reads up to the zero. */
function asServerName(name: string): string {
  return isIP(name) === 0 ? name : `${name}\0`;
}

/** The least version is above the highest, which Envoy's clients leave at TLS 1.2 unless told. */
function agreesOnNothing({ fips, minVersion, maxVersion = 'TLSv1.2' }: UpstreamTlsProgram): boolean {
  return fips !== true && minVersion !== undefined && minVersion > maxVersion;
}

function verify(
  secure: TLSSocket,
  certificate: X509Certificate | undefined,
  { validation }: TlsMaterial,
  name: ExpectedName,
  now: number,
): { reason: string; counter: Counter | undefined; alert: number } | undefined {
  if (certificate === undefined)
    return { reason: verifyFailure('no certificate'), counter: 'fail_verify_error', alert: CERTIFICATE_UNKNOWN };
  const demanded = demandedOf(validation, name);
  const refused =
    demanded === undefined ? undefined : verifyPeer(certificate, chainError(secure), demanded, now, SERVER_AUTH);
  if (refused === undefined) {
    const wanted = wantedNames(name);
    if (wanted.length === 0) return undefined;
    if (!isVouchedFor(validation)) return { reason: NOBODY_VOUCHES, counter: undefined, alert: CERTIFICATE_UNKNOWN };
    if (wanted.some((one) => hasName(certificate, one))) return undefined;
    return {
      reason: verifyFailure(
        `verify SAN list, expected SANs: [${wanted.join(', ')}], certificate SANs: [${listed(certificate)}]`,
      ),
      counter: 'fail_verify_san',
      alert: CERTIFICATE_UNKNOWN,
    };
  }
  return {
    ...refused,
    counter: refused.counter === 'fail_verify_no_cert' ? 'fail_verify_error' : refused.counter,
  };
}

/** Where the server name is what must be in the certificate, it takes the place of all matchers, and counts as a DNS name alone. */
function demandedOf(
  validation: ValidationProgram | undefined,
  { subjectAltNames = [], verified, serverName }: ExpectedName,
): ValidationProgram | undefined {
  if (validation === undefined || !verified || subjectAltNames.length > 0) return validation;
  const matches = (name: string): boolean => dnsNameMatches(serverName, name);
  return { ...validation, sanMatchers: [{ type: 'DNS', exact: serverName, text: `exact ${serverName}`, matches }] };
}

/** Of which the certificate must have one; none: any will do. */
function wantedNames({ subjectAltNames = [], verified, serverName }: ExpectedName): readonly string[] {
  return subjectAltNames.length > 0 || !verified ? subjectAltNames : [serverName];
}

/** Names that anybody may give themselves are worth nothing. */
function isVouchedFor(validation: ValidationProgram | undefined): boolean {
  if (validation === undefined) return false;
  const { trustedCaPem, systemRoots, certificateHashes, spkiHashes } = validation;
  return trustedCaPem !== undefined || systemRoots || certificateHashes.length > 0 || spkiHashes.length > 0;
}

function hasName(certificate: X509Certificate, name: string): boolean {
  const { dns, uri, email, ip } = parseSubjectAltNames(certificate.subjectAltName);
  return (
    name !== '' &&
    (dns.some((one) => dnsNameMatches(name, one)) ||
      [...uri, ...email, ...ip].includes(name) ||
      otherNames(certificate).some(({ value }) => value === name))
  );
}
