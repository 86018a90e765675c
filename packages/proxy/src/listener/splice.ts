import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../deps.ts';
import { isTls } from '../node-tls.ts';

export type Strip = (chunk: Buffer) => Buffer | undefined;

export interface SpliceOptions {
  readonly clock: Clock;
  /** Without a byte either way, milliseconds; 0: no limit. */
  readonly idleTimeout: number;
  /** What has been read of `a` before. */
  readonly early?: { readonly parts: readonly Buffer[]; readonly ended: boolean } | undefined;
  /** Bytes that came from `a`. */
  readonly onReceived: (bytes: number) => void;
  /** Bytes that came from `b`. */
  readonly onSent: (bytes: number) => void;
  /** Take off what is not for the other side; undefined: all of it. */
  readonly stripReceived?: Strip | undefined;
  readonly stripSent?: Strip | undefined;
  readonly onIdle: () => void;
  /** One direction cannot outlive the other: the end of either ends both, once what was written has left. */
  readonly endTogether?: boolean;
  /** Called once, when both directions have ended or either side broke. Both sockets are closed, or closing, by then. */
  readonly onEnd: () => void;
}

/**
 * Passes bytes between two sockets as they come. The end of one direction is passed on while the other goes on; a reader
 * waits while the other side's writer is full.
 */
export function splice(a: Duplex, b: Duplex, options: SpliceOptions): void {
  let ended = false;
  let open = 2;
  const idle = new IdleWatch(options);
  const end = (): void => {
    if (ended) return;
    ended = true;
    idle.stop();
    options.onEnd();
  };
  const endBoth = (): void => {
    open = 2;
    for (const side of [a, b]) {
      if (!side.writableEnded) side.end();
      if (side.writableFinished || side.destroyed) open--;
      else side.once('finish', () => --open === 0 && end());
    }
    if (open === 0) end();
  };
  const oneWay = (
    from: Duplex,
    to: Duplex,
    count: (bytes: number) => void,
    strip?: Strip,
    early?: SpliceOptions['early'],
  ): void => {
    const pass = (read: Buffer): void => {
      const chunk = strip === undefined ? read : strip(read);
      if (chunk === undefined) return;
      count(chunk.length);
      idle.touch();
      if (to.writableEnded) return;
      if (!to.write(chunk)) from.pause();
    };
    const passEnd = (): void => {
      if (options.endTogether === true) return endBoth();
      to.end(() => {
        if (--open === 0) end();
      });
    };
    if (early !== undefined) for (const part of early.parts) pass(part);
    from.on('data', pass);
    to.on('drain', () => {
      idle.touch();
      from.resume();
    });
    // A bare end is over before anybody reads.
    if (early?.ended === true || from.readableEnded) passEnd();
    else from.on('end', passEnd);
    from.on('error', () => undefined);
    from.on('close', () => {
      // After a clean end in this direction the other may still be flushing what it got.
      if (wasReset(from)) resetToo(to);
      else if (!from.readableEnded || from.errored !== null) to.destroy();
      else if (!to.writableEnded) to.end();
      if (to.destroyed || to.closed) end();
    });
  };
  oneWay(a, b, options.onReceived, options.stripReceived, options.early);
  oneWay(b, a, options.onSent, options.stripSent);
  a.resume();
  b.resume();
}

export function wasReset({ errored }: Duplex): boolean {
  return (errored as NodeJS.ErrnoException | null)?.code === 'ECONNRESET';
}

/** The other side of a connection that was reset learns it as one. */
export function resetToo(socket: Duplex): void {
  // Who comes by a path has no address, and Node throws where there is nothing to be reset.
  if (socket instanceof Socket && !isTls(socket) && socket.localAddress !== undefined) socket.resetAndDestroy();
  else socket.destroy();
}

/** Ends a connection; who has sent what nobody has read learns of it as of a reset, as it does when that is still in the kernel. */
export function leaveUnread(socket: Socket): void {
  if (socket.readableLength > 0) resetToo(socket);
  else socket.destroy();
}

/** Looks every so often instead of setting a timer for every chunk. */
class IdleWatch {
  #last: number;
  #timer: Timer | undefined;
  readonly #options: SpliceOptions;

  constructor(options: SpliceOptions) {
    this.#options = options;
    this.#last = options.clock.now();
    if (options.idleTimeout > 0) this.#wait(options.idleTimeout);
  }

  touch(): void {
    this.#last = this.#options.clock.now();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #wait(ms: number): void {
    const { clock, idleTimeout, onIdle } = this.#options;
    this.#timer = clock.after(ms, () => {
      const left = this.#last + idleTimeout - clock.now();
      if (left > 0) this.#wait(left);
      else onIdle();
    });
  }
}
