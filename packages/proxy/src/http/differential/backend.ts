import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout } from 'node:timers';
import { requestLength } from '@mizzen/testkit';

export interface Backend {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * A server that does as the path says: `/raw/BYTES` answers with those bytes (`!` for `/`; a trailing NUL and `end` close after),
 * `/status/N`, `/flaky/…` (503 after a while, every other time), `/hang`, `/reset`, `/close`, `/partial/…`, `/early`, `/ws`; anything else is answered with the request as
 * it arrived.
 */
export async function startBackend(): Promise<Backend> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    serve(socket);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

function serve(socket: Socket): void {
  let text = '';
  let upgraded = false;
  socket.on('data', (data) => {
    if (upgraded) {
      socket.write(`ECHO:${data.toString('latin1')}`);
      return;
    }
    text += data.toString('latin1');
    const path = text.split(' ')[1] ?? '';
    if (path.startsWith('/ws')) {
      upgraded = true;
      const got = encodeURIComponent(text.replace(/x-request-id: \S+/, ''));
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nx-got: ${got}\r\n\r\n`,
      );
    } else if (path.startsWith('/hang')) {
      return;
    } else if (path.startsWith('/reset')) {
      socket.resetAndDestroy();
    } else if (path.startsWith('/close')) {
      socket.end();
    } else if (path.startsWith('/partial')) {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc');
      if (path.endsWith('close')) setTimeout(() => socket.end(), 20);
      if (path.endsWith('reset')) setTimeout(() => socket.resetAndDestroy(), 20);
    } else if (path.startsWith('/early')) {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc');
    } else {
      while (true) {
        const length = requestLength(text);
        if (length === undefined) return;
        const request = text.slice(0, length);
        text = text.slice(length);
        answer(socket, request);
      }
    }
  });
}

/** How often each path was asked for. */
const flaky = new Map<string, number>();
function isOdd(counts: Map<string, number>, path: string): boolean {
  const count = (counts.get(path) ?? 0) + 1;
  counts.set(path, count);
  return count % 2 === 1;
}

function answer(socket: Socket, request: string): void {
  const path = request.split(' ')[1] ?? '';
  if (path.startsWith('/raw/')) {
    let bytes = decodeURIComponent(path.slice(5)).replaceAll('!', '/');
    const end = bytes.endsWith('\0end');
    if (end) bytes = bytes.slice(0, -4);
    socket.write(Buffer.from(bytes, 'latin1'));
    if (end) socket.end();
  } else if (path.startsWith('/flaky/') && isOdd(flaky, path)) {
    setTimeout(() => socket.write('HTTP/1.1 503 X\r\ncontent-length: 2\r\n\r\nst'), 100);
  } else if (path.startsWith('/status/')) {
    socket.write(`HTTP/1.1 ${path.slice(8)} X\r\ncontent-length: 2\r\n\r\nst`);
  } else {
    const body = Buffer.from(request, 'latin1');
    socket.write(Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`), body]));
  }
}
