import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { tls } from '../node-tls.ts';
import type { Clock } from '../deps.ts';
import type { DownstreamTlsProgram } from '../program/types.ts';
import type { PeerTls } from '../types.ts';
import { countAgreed } from './agreed.ts';
import { alarm, CERTIFICATE_REQUIRED, clearAlert } from './alert.ts';
import { peerSignature } from './signature.ts';
import type { ClientHello } from './client-hello.ts';
import type { TlsContexts, TlsMaterial } from './context.ts';
import { mayResume } from './context-options.ts';
import { failureOf, stranger } from './failed-handshake.ts';
import { laterErrors, SECRET_MISSING, SELECTION_FAILED, unusable, verifyFailure } from './failure.ts';
import type { NotHello } from './not-hello.ts';
import { localCertificate, Peer } from './peer.ts';
import type { KeyLogger } from './key-log.ts';
import { ServerCertificates, type Staple } from './server-certificates.ts';
import { StoredSessions } from './stored-sessions.ts';
import { misuseOf } from './key-usage.ts';
import { sessionOf } from './session.ts';
import { chainError, CLIENT_AUTH, takesAll, verifyPeer, type Refusal } from './verify.ts';

export interface DownstreamTlsStats {
  handshake: number;
  connection_error: number;
  no_certificate: number;
  session_reused: number;
  fail_verify_error: number;
  fail_verify_san: number;
  fail_verify_cert_hash: number;
  fail_verify_no_cert: number;
  ocsp_staple_failed: number;
  ocsp_staple_omitted: number;
  ocsp_staple_requests: number;
  ocsp_staple_responses: number;
  /** Handshakes by what was agreed on. */
  readonly ciphers: Record<string, number>;
  readonly versions: Record<string, number>;
  readonly curves: Record<string, number>;
  readonly sigalgs: Record<string, number>;
  /** Connections that failed as secrets had not come yet. */
  readonly secrets: { notReady: number };
}

export function newDownstreamTlsStats(): DownstreamTlsStats {
  return {
    handshake: 0,
    connection_error: 0,
    no_certificate: 0,
    session_reused: 0,
    fail_verify_error: 0,
    fail_verify_san: 0,
    fail_verify_cert_hash: 0,
    fail_verify_no_cert: 0,
    ocsp_staple_failed: 0,
    ocsp_staple_omitted: 0,
    ocsp_staple_requests: 0,
    ocsp_staple_responses: 0,
    ciphers: {},
    versions: {},
    curves: {},
    sigalgs: {},
    secrets: { notReady: 0 },
  };
}

/** What `onFail` is told when time was up; Envoy's words for the end of the connection. */
export const TIMED_OUT = 'transport socket timeout was reached';

/** `peer`: what is known of it all the same. An empty reason: the client has hung up. */
export type OnFail = (reason: string, peer: PeerTls | undefined) => void;

export interface AcceptedTls {
  readonly socket: TLSSocket;
  readonly peer: PeerTls;
  /** What ALPN agreed on; empty when nothing. */
  readonly applicationProtocol: string;
}

/** The server side of one TLS context of a listener. */
export class DownstreamTls {
  readonly stats: DownstreamTlsStats;
  readonly #program: DownstreamTlsProgram;
  readonly #clock: Clock;
  readonly #certificates: ServerCertificates;
  readonly #logKey: KeyLogger | undefined;
  #sessions: StoredSessions | undefined;

  constructor(program: DownstreamTlsProgram, contexts: TlsContexts, clock: Clock, stats: DownstreamTlsStats) {
    this.#logKey = contexts.keyLogger(program);
    this.#program = program;
    this.#certificates = new ServerCertificates(program, contexts);
    this.#clock = clock;
    this.stats = stats;
  }

  /**
   * Shakes hands on a socket whose bytes so far have been put back (paused, never flowing). `timeout` in milliseconds, 0
   * for none. Exactly one of the two callbacks is called; after `onFail` the socket is gone.
   */
  accept(
    socket: Socket,
    hello: ClientHello,
    timeout: number,
    onSecure: (accepted: AcceptedTls) => void,
    onFail: OnFail,
  ): void {
    const program = this.#program;
    const chosen = this.#choose(hello);
    if (typeof chosen === 'string') {
      socket.destroy();
      return onFail(chosen, undefined);
    }
    const { material, staple } = chosen;
    const asks = asksForCertificate(material);
    this.#countStaple(staple);
    if (staple === 'fail') {
      this.stats.connection_error++;
      refuseSelection(socket);
      return onFail(SELECTION_FAILED, this.stranger());
    }
    const secure = new (tls().TLSSocket)(socket, {
      isServer: true,
      secureContext: material.context,
      requestCert: asks,
      rejectUnauthorized: demandsCertificate(material, program.requireClientCertificate),
      // Where nothing overlaps Envoy goes on without ALPN; Node would end the handshake.
      ...(program.alpnProtocols.some((name) => hello.applicationProtocols.includes(name))
        ? { ALPNProtocols: [...program.alpnProtocols] }
        : {}),
      ...(this.#storesSession(hello, material) ? { server: (this.#sessions ??= new StoredSessions()).server } : {}),
    });
    if (Buffer.isBuffer(staple)) (secure as HasNative).ssl?.setOCSPResponse(staple);
    if (this.#logKey !== undefined) this.#logKey(secure, socket);
    this.#watch(secure, socket, hello, material, timeout, onSecure, onFail);
  }

  /** Otherwise why there is nothing to shake hands with. */
  #choose(hello: ClientHello): Exclude<ReturnType<ServerCertificates['choose']>, undefined> | string {
    try {
      const chosen = this.#certificates.choose(hello, this.#clock.wall());
      if (chosen === undefined) this.stats.secrets.notReady++;
      return chosen ?? SECRET_MISSING;
    } catch (error) {
      return unusable(error);
    }
  }

  /** Ends what is no handshake of TLS, as BoringSSL does. */
  refuse(socket: Socket, { reason, alert }: NotHello, onFail: OnFail): void {
    this.stats.connection_error++;
    socket.on('error', ignore);
    if (alert !== undefined) socket.write(clearAlert(alert, NO_VERSION));
    socket.end();
    socket.destroySoon();
    onFail(reason, this.stranger());
  }

  /** What is known of a client that has not begun its handshake; undefined while a secret is missing. */
  stranger(): PeerTls | undefined {
    const first = this.#certificates.first();
    return first === undefined ? undefined : stranger(first);
  }

  #countStaple(staple: Staple): void {
    if (staple === 'unasked') return;
    this.stats.ocsp_staple_requests++;
    if (staple === 'none') this.stats.ocsp_staple_omitted++;
    else if (staple === 'fail') this.stats.ocsp_staple_failed++;
    else this.stats.ocsp_staple_responses++;
  }

  /** Clients of TLS 1.2 that get no ticket resume by the session's ID. */
  #storesSession(hello: ClientHello, { validation }: TlsMaterial): boolean {
    const { storedSessions, sessionTickets, maxVersion, fips } = this.#program;
    if (
      storedSessions !== true ||
      !mayResume(validation) ||
      (sessionTickets && hello.extensions.includes(SESSION_TICKET))
    )
      return false;
    const tls13 = maxVersion === undefined || maxVersion === 'TLSv1.3' || fips === true;
    return !(tls13 && hello.supportedVersions.includes(TLS_13));
  }

  #watch(
    secure: TLSSocket,
    socket: Socket,
    hello: ClientHello,
    material: TlsMaterial,
    timeout: number,
    onSecure: (accepted: AcceptedTls) => void,
    onFail: OnFail,
  ): void {
    const fail = (reason: string, counter: Refusal['counter'] | 'connection_error', peer: PeerTls): void => {
      settle();
      // Who just hangs up has made no mistake in the handshake.
      if (reason !== '') this.stats[counter]++;
      secure.destroy();
      socket.destroy();
      onFail(reason, peer);
    };
    const timer =
      timeout > 0
        ? this.#clock.after(timeout, () => {
            settle();
            secure.destroy();
            socket.destroy();
            onFail(TIMED_OUT, stranger(material.certificate));
          })
        : undefined;
    const onError = (error: NodeJS.ErrnoException): void => {
      const missing = error.code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';
      const { reason, peer } = failureOf(error, secure, socket, hello, this.#program, material.certificate);
      fail(reason, missing ? 'fail_verify_no_cert' : 'connection_error', peer);
    };
    const onClose = (): void => fail('', 'connection_error', stranger(material.certificate));
    const settle = (): void => {
      timer?.cancel();
      secure.off('error', onError);
      secure.off('close', onClose);
      secure.off('end', onClose);
      alert?.forget();
      secure.on('error', ignore);
    };
    secure.on('error', onError);
    secure.on('close', onClose);
    secure.on('end', onClose);
    const alert = asksForCertificate(material)
      ? alarm(secure, 'server', (record) => void socket.write(record))
      : undefined;
    secure.once('secure', () => {
      const peer = new Peer(
        secure,
        asksForCertificate(material),
        localCertificate(material.certificate),
        undefined,
        material.validation,
      );
      const misuse = misuseOf(secure.getPeerX509Certificate(), secure);
      if (misuse?.alert !== undefined) {
        alert?.ring(misuse.alert);
        return fail(misuse.reason, misuse.counter, unknown(secure, material));
      }
      const refused = this.#verify(secure, material);
      if (refused !== undefined) {
        const taken = takesAll(material.validation) && refused.counter !== 'fail_verify_no_cert';
        if (!taken) {
          alert?.ring(refused.alert);
          return fail(refused.reason, refused.counter, peer);
        }
        this.stats[refused.counter]++;
      }
      if (misuse !== undefined) return fail(misuse.reason, misuse.counter, peer);
      settle();
      this.stats.handshake++;
      if (secure.isSessionReused()) this.stats.session_reused++;
      const certificate = secure.getPeerX509Certificate();
      const { signatureAlgorithms } = this.#program;
      countAgreed(secure, this.stats, peerSignature(secure, certificate, 'server', signatureAlgorithms));
      const { servername } = secure as { servername?: unknown };
      // Of a session that is resumed nothing is verified again, and Envoy does not know what was.
      peer.verified =
        refused === undefined && certificate !== undefined && verifies(material) && !secure.isSessionReused();
      peer.handshakeEnd = this.#clock.now();
      if (typeof servername === 'string') peer.serverName = servername;
      if (peer.uriSans.length === 0 && peer.peerFingerprint === '') this.stats.no_certificate++;
      // Node tells of later errors so, and does nothing more on the side of a server.
      secure.on('_tlsError', (error: NodeJS.ErrnoException) => {
        this.stats.connection_error += laterErrors(error);
        secure.destroy();
      });
      onSecure({ socket: secure, peer, applicationProtocol: secure.alpnProtocol || '' });
    });
  }

  #verify(secure: TLSSocket, material: TlsMaterial): Refusal | undefined {
    const { validation } = material;
    const certificate = secure.getPeerX509Certificate();
    if (certificate === undefined) {
      if (!demandsCertificate(material, this.#program.requireClientCertificate)) return undefined;
      return {
        reason: verifyFailure('peer did not provide required client certificate'),
        counter: 'fail_verify_no_cert',
        alert: CERTIFICATE_REQUIRED,
      };
    }
    if (validation === undefined) return undefined;
    return verifyPeer(certificate, chainError(secure), validation, this.#clock.wall(), CLIENT_AUTH);
  }
}

/** A peer whose certificate has not been looked at. */
function unknown(secure: TLSSocket, { certificate }: TlsMaterial): PeerTls {
  const session = { ...sessionOf(secure), id: '' };
  return stranger(certificate, { version: secure.getProtocol() ?? '', cipher: secure.getCipher().name, session });
}

/** Where nothing is demanded of a certificate, Envoy wants none, whatever `requireClientCertificate` says. */
function asksForCertificate({ validation }: TlsMaterial): boolean {
  if (validation === undefined) return false;
  const { trustedCaPem, systemRoots, acceptUntrusted, certificateHashes, spkiHashes } = validation;
  const pins = certificateHashes.length + spkiHashes.length;
  return trustedCaPem !== undefined || systemRoots || acceptUntrusted || pins > 0;
}

/** Something is held against what certificates must have. */
function verifies({ validation }: TlsMaterial): boolean {
  if (validation === undefined) return false;
  const { trustedCaPem, systemRoots, certificateHashes, spkiHashes, sanMatchers } = validation;
  return (
    trustedCaPem !== undefined || systemRoots || certificateHashes.length + spkiHashes.length + sanMatchers.length > 0
  );
}

/** Pins, names and trust domains want a certificate whatever `requireClientCertificate` says. */
function demandsCertificate({ validation }: TlsMaterial, required: boolean): boolean {
  if (validation === undefined) return false;
  const { trustedCaPem, trustBundles, systemRoots } = validation;
  const { certificateHashes, spkiHashes, sanMatchers } = validation;
  const wanted = certificateHashes.length + spkiHashes.length + sanMatchers.length > 0 && !takesAll(validation);
  return wanted || trustBundles !== undefined || (required && (trustedCaPem !== undefined || systemRoots));
}

/** What Node keeps to itself of a TLSSocket. */
interface HasNative extends TLSSocket {
  readonly ssl?: { setOCSPResponse(response: Buffer): void } | null;
}

const SESSION_TICKET = 35;
const TLS_13 = 0x0304;
/** What records are marked with before there is a version. */
const NO_VERSION = 1;
const HANDSHAKE_FAILURE = 40;

/** Ends a handshake before it has begun. */
function refuseSelection(socket: Socket): void {
  socket.on('error', ignore);
  socket.end(clearAlert(HANDSHAKE_FAILURE));
  socket.destroySoon();
}

function ignore(): void {}
