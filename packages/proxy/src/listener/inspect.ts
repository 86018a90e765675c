import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { JsonObject } from '@mizzen/xds';
import type { Clock } from '../deps.ts';
import type { ClientHello } from '../tls/client-hello.ts';
import type { NotHello } from '../tls/not-hello.ts';
import { resetToo } from './splice.ts';
import type { ProxyProtocolVerdict } from '../filter/proxy-protocol/filter.ts';

/** What listener filters found out about a connection so far. */
export interface Inspection {
  /** Present when the connection begins with a TLS ClientHello. */
  hello: ClientHello | undefined;
  /** `http/1.0`, `http/1.1` or `h2c` when it begins with a request in clear text; empty otherwise, or when not looked for. */
  httpProtocol: string;
  /** What came in the place of a ClientHello. */
  notHello: NotHello | undefined;
  /** Why a step ends the connection, where that is logged. */
  failure: string | undefined;
  /** Why there is no ClientHello, as logs of TCP tell. */
  notTls: string | undefined;
  /** Noted for others, by filter. */
  metadata: Readonly<Record<string, JsonObject>> | undefined;
  /** Fingerprints of the ClientHello, where they are wanted. */
  ja3: string | undefined;
  ja4: string | undefined;
  proxy: Extract<ProxyProtocolVerdict, { kind: 'header' }> | undefined;
}

/** What a step says of the bytes: wait for more, end the connection, or go on after so many bytes are dropped. */
export type StepResult = 'more' | 'close' | number;

/** One listener filter: looks at the first bytes and notes what it finds. */
export interface Step {
  (bytes: Buffer, found: Inspection): StepResult;
  /** It looks at no bytes, and so waits for none. */
  readonly atOnce?: boolean;
}

const NO_BYTES = Buffer.alloc(0);

/** Why a connection did not get through. */
export type Gone = 'timeout' | 'closed' | 'remote' | 'error';

export function newInspection(): Inspection {
  return {
    hello: undefined,
    httpProtocol: '',
    notHello: undefined,
    failure: undefined,
    notTls: undefined,
    metadata: undefined,
    ja3: undefined,
    ja4: undefined,
    proxy: undefined,
  };
}

/**
 * Lets the steps look at the beginning of a connection one after the other, each at as many bytes as it takes, and puts
 * back what is not dropped: the socket ends up paused with its bytes unread. When a step ends the connection, or the peer
 * goes away meanwhile, it is destroyed and `onGone` called. After `timeout` milliseconds (0: none) `onGone` is called with
 * the connection as it was left.
 */
export function inspect(
  socket: Socket | TLSSocket,
  steps: readonly Step[],
  timeout: number,
  clock: Clock,
  onDone: (found: Inspection) => void,
  onGone: (why: Gone, found: Inspection) => void,
  /** It looks at bytes without taking them: who has sent some learns of an end as of a reset. */
  peeks = false,
): void {
  const found = newInspection();
  let bytes: Buffer | undefined;
  let at = 0;
  const settle = (): void => {
    timer?.cancel();
    socket.off('data', onData);
    socket.off('end', onEnd);
    socket.off('close', onEnd);
    socket.off('error', onError);
  };
  const stop = (): void => {
    settle();
    socket.pause();
    if (bytes !== undefined && bytes.length > 0) socket.unshift(bytes);
  };
  const gone = (why: Gone): void => {
    settle();
    socket.on('error', ignore);
    if (peeks && bytes !== undefined && bytes.length > 0) resetToo(socket);
    else socket.destroy();
    onGone(why, found);
  };
  /** Takes the steps that look at no bytes. False: the connection has ended. */
  const passes = (): boolean => {
    for (; steps[at]?.atOnce === true; at++) {
      if (steps[at]!(NO_BYTES, found) !== 'close') continue;
      gone('closed');
      return false;
    }
    return true;
  };
  const onEnd = (): void => gone('remote');
  const onError = (): void => gone('error');
  const onData = (chunk: Buffer): void => {
    bytes = bytes === undefined ? chunk : Buffer.concat([bytes, chunk]);
    while (at < steps.length) {
      const result = steps[at]!(bytes, found);
      if (result === 'more') return;
      if (result === 'close') return gone('closed');
      if (result > 0) bytes = bytes.subarray(result);
      at++;
      if (!passes()) return;
      if (bytes.length === 0 && at < steps.length) return;
    }
    stop();
    onDone(found);
  };
  const timer =
    timeout > 0
      ? clock.after(timeout, () => {
          stop();
          onGone('timeout', found);
        })
      : undefined;
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('close', onEnd);
  socket.on('error', onError);
  if (!passes()) return;
  if (at === steps.length) {
    stop();
    onDone(found);
    return;
  }
  // A connection that was handed over comes paused, and listening for data alone does not undo that.
  if (socket.isPaused()) socket.resume();
}

function ignore(): void {}
