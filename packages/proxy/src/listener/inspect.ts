import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../deps.ts';
import { MAX_CLIENT_HELLO, readClientHello, type ClientHello } from '../tls/client-hello.ts';
import { readHttpStart } from './http-start.ts';

export interface Inspection {
  /** Present when the connection begins with a TLS ClientHello. */
  readonly hello: ClientHello | undefined;
  /** `http/1.0`, `http/1.1` or `h2c` when it begins with a request in clear text; empty otherwise, or when not looked for. */
  readonly httpProtocol: string;
}

export interface InspectionWish {
  readonly tls: boolean;
  readonly http: boolean;
}

/**
 * Reads as much of a connection as it takes to see what it is, and puts everything back: the socket ends up paused with
 * its bytes unread. `onDone` gets undefined when `timeout` milliseconds (0: none) passed first. When the peer goes away
 * meanwhile the socket is destroyed and `onGone` is called instead.
 */
export function inspect(
  socket: Socket | TLSSocket,
  wish: InspectionWish,
  timeout: number,
  clock: Clock,
  onDone: (inspection: Inspection | undefined) => void,
  onGone: () => void,
): void {
  let bytes: Buffer | undefined;
  const settle = (): void => {
    timer?.cancel();
    socket.off('data', onData);
    socket.off('end', gone);
    socket.off('close', gone);
    socket.off('error', gone);
  };
  const done = (inspection: Inspection | undefined): void => {
    settle();
    socket.pause();
    if (bytes !== undefined) socket.unshift(bytes);
    onDone(inspection);
  };
  const gone = (): void => {
    settle();
    socket.on('error', () => undefined);
    socket.destroy();
    onGone();
  };
  const onData = (chunk: Buffer): void => {
    bytes = bytes === undefined ? chunk : Buffer.concat([bytes, chunk]);
    const inspection = look(bytes, wish);
    if (inspection !== undefined) done(inspection);
  };
  const timer = timeout > 0 ? clock.after(timeout, () => done(undefined)) : undefined;
  socket.on('data', onData);
  socket.on('end', gone);
  socket.on('close', gone);
  socket.on('error', gone);
  // A connection that was handed over comes paused, and listening for data alone does not undo that.
  if (socket.isPaused()) socket.resume();
}

/** Undefined: not decided yet. */
function look(bytes: Buffer, wish: InspectionWish): Inspection | undefined {
  if (wish.tls) {
    const result = readClientHello(bytes);
    if (result.kind === 'hello') return { hello: result.hello, httpProtocol: '' };
    if (result.kind === 'more' && bytes.length <= MAX_CLIENT_HELLO) return undefined;
  }
  if (!wish.http) return { hello: undefined, httpProtocol: '' };
  const httpProtocol = readHttpStart(bytes);
  return httpProtocol === undefined ? undefined : { hello: undefined, httpProtocol };
}
