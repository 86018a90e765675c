import type { ConnectTimes, UpstreamSocket } from '../types.ts';

const times = new WeakMap<UpstreamSocket, ConnectTimes>();

/** Notes how a connection was made, for access logs. */
export function noteConnectTimes(socket: UpstreamSocket, how: ConnectTimes): void {
  times.set(socket, how);
}

export function connectTimesOf(socket: UpstreamSocket): ConnectTimes | undefined {
  return times.get(socket);
}
