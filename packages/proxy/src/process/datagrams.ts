import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { DatagramSocket } from '../telemetry/sinks/datagrams.ts';

/** Sends datagrams to one place. Nobody waits for them, and what fails is lost, as UDP has it. */
export function datagramsTo(host: string, port: number): DatagramSocket {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  socket.on('error', () => undefined);
  socket.unref();
  let sending = 0;
  let closing = false;
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const sent = (): void => {
    sending--;
    if (closing && sending === 0) socket.close(resolve);
  };
  return {
    send: (bytes) => {
      if (closing) return;
      sending++;
      socket.send(bytes, port, host, sent);
    },
    close: () => {
      if (!closing && sending === 0) socket.close(resolve);
      closing = true;
      return closed;
    },
  };
}
