/**
 * Reading without a buffer per read. Node gives every read 64 KiB of fresh memory, which costs a proxy a fifth of its
 * time; `onread` reads into memory that is there already, but only sockets that are made with it have it. So the
 * connection is moved to a new Socket that has. Where that cannot be done (TLS, another runtime) reads stay as they are.
 */
import { Socket, type SocketConstructorOpts } from 'node:net';
import { isTls } from '../node-tls.ts';
import type { UpstreamSocket } from '../types.ts';

const SHARED = Buffer.from(new ArrayBuffer(64 * 1024));

/** Bytes that outlive the call they were given to. */
export function keep(data: Buffer): Buffer {
  return data.buffer === SHARED.buffer ? Buffer.from(data) : data;
}
export function isShared(data: Buffer): boolean {
  return data.buffer === SHARED.buffer;
}

const MOVED = Symbol('moved');
/** What was a connection, until that was moved. */
interface Shell extends Socket {
  _handle: unknown;
  [MOVED]?: Socket;
}

/** Bytes of a connection so far, to wherever it was moved. */
export function bytesOf(socket: Socket): { readonly read: number; readonly written: number } {
  let at: Shell = socket as Shell;
  while (at[MOVED] !== undefined) at = at[MOVED] as Shell;
  return { read: at.bytesRead, written: at.bytesWritten };
}

export interface Reads {
  /** The socket to use from now on in place of the one given. */
  readonly socket: UpstreamSocket;
  /** From now on what is read comes as `data` events. */
  stop(): void;
}

/**
 * Gives what is read from `socket` to `onRead`; the bytes are good only during the call (see `keep`). The socket given
 * must not be read or written any more, but it still closes together with the one returned, either way round.
 */
export function readDirectly(socket: UpstreamSocket, onRead: (data: Buffer) => void): Reads {
  const handle = handleOf(socket);
  if (handle === undefined) {
    socket.on('data', onRead);
    return { socket, stop: () => void socket.off('data', onRead) };
  }
  const early = socket.read() as Buffer | null;
  const shell = socket as Shell;
  shell._handle = null;
  let direct = true;
  const options: Omit<SocketConstructorOpts, 'handle'> & { handle: object } = {
    handle,
    allowHalfOpen: true,
    onread: {
      buffer: SHARED,
      callback: (length: number): boolean => {
        const data = SHARED.subarray(0, length);
        if (direct) onRead(data);
        else return moved.push(Buffer.from(data));
        return true;
      },
    },
  };
  const moved = new Socket(options as SocketConstructorOpts);
  shell[MOVED] = moved;
  moved.once('close', () => shell.destroy());
  shell.once('close', () => moved.destroy());
  moved.resume();
  if (early !== null) {
    queueMicrotask(() => {
      if (direct) onRead(early);
      else moved.unshift(early);
    });
  }
  return {
    socket: moved,
    stop: () => {
      direct = false;
    },
  };
}

/** What a plain connected socket sits on, if it can be moved. */
function handleOf(socket: UpstreamSocket): object | undefined {
  if (isTls(socket) || socket.destroyed || socket.connecting || socket.writableLength > 0) return undefined;
  if (socket.constructor !== Socket || socket.readableEnded) return undefined;
  const handle = (socket as Socket & { _handle?: { useUserBuffer?: unknown; getpeername?: unknown } | null })._handle;
  return typeof handle?.useUserBuffer === 'function' && typeof handle.getpeername === 'function' ? handle : undefined;
}
