import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** No method of HTTP/1 begins so. */
const PREFACE = Buffer.from('PRI * HTTP/2');
/** For a connection to say what it speaks; afterwards the server's own limits hold. Milliseconds. */
const PATIENCE = 10_000;

/**
 * Has connections that begin with HTTP/2's preface taken by somebody else; all others stay the server's. Returns what ends
 * those that have not said yet what they speak, of which the server knows nothing.
 */
export function divertHttp2(server: Server, take: (socket: Socket) => void): () => void {
  const silent = new Set<Socket>();
  const [listener] = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  if (listener === undefined) throw new Error('a server without a listener');
  server.off('connection', listener);
  server.on('connection', (socket: Socket) => {
    silent.add(socket);
    const gone = (): void => void socket.destroy();
    const forget = (): void => void silent.delete(socket);
    socket.once('close', forget);
    socket.on('error', gone);
    socket.setTimeout(PATIENCE, gone);
    let seen = Buffer.alloc(0);
    const look = (): void => {
      const next = socket.read() as Buffer | null;
      if (next === null) return;
      seen = Buffer.concat([seen, next]);
      const length = Math.min(seen.length, PREFACE.length);
      const alike = seen.subarray(0, length).equals(PREFACE.subarray(0, length));
      if (alike && length < PREFACE.length) return;
      socket.off('readable', look).off('close', forget);
      forget();
      socket.unshift(seen);
      socket.off('error', gone);
      socket.off('timeout', gone);
      socket.setTimeout(0);
      if (alike) take(socket);
      else listener.call(server, socket);
    };
    socket.on('readable', look);
  });
  return () => {
    for (const socket of silent) socket.destroy();
  };
}
