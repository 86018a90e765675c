import type { Socket } from 'node:net';

const LIMIT = 16_384;

/** Makes a connection to a proxy one to `authority` (CONNECT). */
export function tunnel(socket: Socket, authority: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0);
    const settle = (error?: Error): void => {
      socket.off('data', onData).off('error', settle).off('close', onClose);
      socket.pause();
      if (error === undefined) return resolve(socket);
      socket.destroy();
      reject(error);
    };
    const onClose = (): void => settle(new Error('the sidecar closed the connection'));
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return head.length > LIMIT ? settle(new Error('the sidecar did not answer with HTTP')) : undefined;
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(head.toString('latin1', 0, end))?.[1];
      if (status !== '200') return settle(new Error(`the sidecar answered CONNECT with ${status ?? 'something else'}`));
      if (head.length > end + 4) socket.unshift(head.subarray(end + 4));
      settle();
    };
    socket.on('data', onData).once('error', settle).once('close', onClose);
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\n`);
  });
}
