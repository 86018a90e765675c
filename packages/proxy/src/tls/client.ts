import type { Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { UpstreamTlsProgram } from '../program/types.ts';
import type { TlsContexts, TlsMaterial } from './context.ts';
import { handshakeFailure, SECRET_MISSING, verifyFailure } from './failure.ts';
import { verifyPeer } from './verify.ts';

/** Where a host keeps the last session, so that its next connection costs no signature. */
export interface SessionSlot {
  session: Buffer | undefined;
  /** The material that session was made with. */
  material: TlsMaterial | undefined;
}

export interface UpstreamTlsStats {
  ssl_handshake: number;
  ssl_connection_error: number;
  ssl_fail_verify_error: number;
  ssl_fail_verify_san: number;
  ssl_session_reused: number;
}

/** The client side of one TLS context of a cluster. */
export class UpstreamTls {
  readonly #program: UpstreamTlsProgram;
  readonly #contexts: TlsContexts;
  readonly #stats: UpstreamTlsStats;
  #material: TlsMaterial | undefined;

  constructor(program: UpstreamTlsProgram, contexts: TlsContexts, stats: UpstreamTlsStats) {
    this.#program = program;
    this.#contexts = contexts;
    this.#stats = stats;
  }

  /**
   * Shakes hands over a socket that is connecting. Exactly one callback is called, unless the socket fails to connect at
   * all: then it is the socket's own `error` that tells. After `onFail` the connection is gone; its argument is empty
   * when the peer hung up without a word.
   */
  connect(raw: Socket, slot: SessionSlot, serverName: string, onReady: (socket: TLSSocket) => void, onFail: (reason: string) => void): void {
    const material = this.#contexts.material(this.#program, 'client', this.#material);
    if (material === undefined) {
      raw.destroy();
      onFail(SECRET_MISSING);
      return;
    }
    this.#material = material;
    if (slot.material !== material) slot.session = undefined;
    const reuse = this.#program.maxSessionKeys > 0;
    const secure = connect({
      socket: raw,
      secureContext: material.context,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(serverName === '' ? {} : { servername: serverName }),
      ...(this.#program.alpnProtocols.length === 0 ? {} : { ALPNProtocols: [...this.#program.alpnProtocols] }),
      ...(reuse && slot.session !== undefined ? { session: slot.session } : {}),
    });
    const fail = (reason: string, counter: keyof UpstreamTlsStats): void => {
      settle();
      slot.session = undefined;
      this.#stats[counter]++;
      secure.destroy();
      raw.destroy();
      onFail(reason);
    };
    const onError = (error: NodeJS.ErrnoException): void => fail(handshakeFailure(error) ?? '', 'ssl_connection_error');
    const onClose = (): void => fail('', 'ssl_connection_error');
    const settle = (): void => {
      secure.off('error', onError);
      secure.off('close', onClose);
      secure.on('error', ignore);
    };
    secure.on('error', onError);
    secure.on('close', onClose);
    // Sessions are kept only once the peer has been found to be who it should be.
    let verified = false;
    let early: Buffer | undefined;
    if (reuse) {
      secure.on('session', (session) => {
        if (!verified) early = session;
        else [slot.session, slot.material] = [session, material];
      });
    }
    secure.once('secureConnect', () => {
      const refused = this.#verify(secure, material);
      if (refused !== undefined) return fail(refused.reason, refused.counter);
      settle();
      verified = true;
      if (early !== undefined) [slot.session, slot.material] = [early, material];
      this.#stats.ssl_handshake++;
      if (secure.isSessionReused()) this.#stats.ssl_session_reused++;
      onReady(secure);
    });
  }

  #verify(secure: TLSSocket, { validation }: TlsMaterial): { reason: string; counter: keyof UpstreamTlsStats } | undefined {
    const certificate = secure.getPeerX509Certificate();
    if (validation === undefined) return undefined;
    if (certificate === undefined) return { reason: verifyFailure('no certificate'), counter: 'ssl_fail_verify_error' };
    const error = secure.authorizationError as (Error & { code?: string }) | string | null | undefined;
    const code = typeof error === 'string' ? error : error?.code;
    const refused = verifyPeer(certificate, code, validation);
    if (refused === undefined) return undefined;
    return { reason: refused.reason, counter: refused.counter === 'fail_verify_san' ? 'ssl_fail_verify_san' : 'ssl_fail_verify_error' };
  }
}

function ignore(): void {}
