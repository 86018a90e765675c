/** For tests: a server that misbehaves as told. */
import { createServer, type AddressInfo, type Socket } from 'node:net';

export interface Upstream {
  readonly port: number;
  /** What each connection received, in order of arrival. */
  readonly received: string[];
  readonly sockets: Socket[];
  stop(): Promise<void>;
}

export type OnRequest = (socket: Socket, head: string, connection: number) => void;

/** A server that calls `onRequest` with the head of each request once it has all of it. */
export async function startUpstream(onRequest: OnRequest): Promise<Upstream> {
  const received: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    const index = sockets.push(socket) - 1;
    received[index] = '';
    let unread = '';
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const text = data.toString('latin1');
      received[index] += text;
      unread += text;
      for (let end = unread.indexOf('\r\n\r\n'); end >= 0; end = unread.indexOf('\r\n\r\n')) {
        const head = unread.slice(0, end);
        const length = Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0);
        if (unread.length < end + 4 + length) break;
        unread = unread.slice(end + 4 + length);
        onRequest(socket, head, index);
      }
    });
    socket.on('end', () => socket.end());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    received,
    sockets,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

export function reply(socket: Socket, body: string, status = '200 OK', fields = ''): void {
  socket.write(`HTTP/1.1 ${status}\r\ncontent-length: ${body.length}\r\n${fields}\r\n${body}`);
}
