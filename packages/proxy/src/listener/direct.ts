import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../deps.ts';
import type { ActiveConnection } from './connections.ts';

/** Sends back what comes. */
export function serveEcho(socket: Socket | TLSSocket): ActiveConnection {
  socket.on('error', () => socket.destroy());
  socket.on('data', (data: Buffer) => {
    if (socket.write(data)) return;
    socket.pause();
    socket.once('drain', () => socket.resume());
  });
  if (socket.readableEnded) socket.end();
  else socket.on('end', () => socket.end());
  if (socket.isPaused()) socket.resume();
  return connectionOf(socket);
}

/** For how long a client that was told everything may stay, milliseconds. */
const LEAVE_MS = 1000;

/** Says one thing and ends. */
export function serveDirect(socket: Socket | TLSSocket, response: Buffer, clock: Clock): ActiveConnection {
  socket.on('error', () => socket.destroy());
  socket.end(response, () => {
    const timer = clock.after(LEAVE_MS, () => socket.destroy());
    socket.once('close', () => timer.cancel());
  });
  // What the client says is read to its end, so that it is not told of a reset.
  socket.resume();
  return connectionOf(socket);
}

function connectionOf(socket: Socket | TLSSocket): ActiveConnection {
  return { announceDrain: () => undefined, drain: () => undefined, close: () => socket.destroy() };
}
