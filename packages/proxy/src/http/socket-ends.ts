import type { UpstreamSocket } from '../types.ts';

/** The ends of a connection as logs print them, taken while it is there. */
export interface SocketEnds {
  readonly localAddress: string;
  /** Undefined where it is no address of IP. */
  readonly remoteAddress: string | undefined;
}

export function endsOfSocket(socket: UpstreamSocket): SocketEnds {
  const { remoteAddress, remotePort } = socket;
  return {
    localAddress: joined(`${socket.localAddress}`, socket.localPort),
    remoteAddress: remoteAddress === undefined ? undefined : joined(remoteAddress, remotePort),
  };
}

function joined(address: string, port: number | undefined): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
