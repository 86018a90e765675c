import type { Socket } from 'node:net';
import type { types } from '@mizzen/xds';
import type { KeepaliveProgram } from './program/types.ts';

export function compileKeepalive(keepalive: types.core.TcpKeepalive | undefined): KeepaliveProgram | undefined {
  if (keepalive === undefined) return undefined;
  return {
    time: keepalive.keepaliveTime ?? 7200,
    interval: keepalive.keepaliveInterval ?? 75,
    probes: keepalive.keepaliveProbes ?? 9,
  };
}

/** Lets the kernel ask a silent peer whether it is still there. */
export function keepAlive(socket: Socket, { time, interval, probes }: KeepaliveProgram): void {
  socket.setKeepAlive(true, time * 1000, interval * 1000, probes);
}
