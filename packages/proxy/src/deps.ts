import type { Socket } from 'node:net';

/** Handle of a pending timer. */
export interface Timer {
  cancel(): void;
}

/** Time as the proxy sees it. The simulator runs on a virtual one. */
export interface Clock {
  /** Milliseconds since some fixed point; never goes back. May be a fraction. */
  now(): number;
  /** Milliseconds since the Unix epoch. */
  wall(): number;
  /** Calls `fn` once after at least `ms` milliseconds. Coarse (a few ms): backed by a timer wheel. */
  after(ms: number, fn: () => void): Timer;
}

export interface Random {
  /** Uniform in [0, 1). */
  float(): number;
  /** A random 32-bit unsigned integer. */
  uint32(): number;
  /** A UUID, version 4. */
  uuid(): string;
  /** So many random hexadecimal digits, in lowercase; at most 64. */
  hex(digits: number): string;
}

export interface Net {
  /** The address by which other machines reach this one; 127.0.0.1 where there is none. */
  readonly outerAddress: string;
  /** To a port of a host, or to the unix socket at `path`. */
  connect(options: { host: string; port: number; localAddress?: string; localPort?: number; path?: string }): Socket;
  /**
   * All addresses of a host name, with their time to live in seconds where known; none where there is no such name.
   * Without `servers` the system is asked.
   */
  lookup(
    host: string,
    family: 0 | 4 | 6,
    servers?: DnsServers,
  ): Promise<readonly { address: string; ttl: number | undefined }[]>;
}

/** Servers of DNS that are asked in place of the system's. */
export interface DnsServers {
  /** `1.2.3.4:53`, `[::1]:53`. */
  readonly addresses: readonly string[];
  /** Milliseconds of the first try. */
  readonly timeout: number;
  readonly tries: number;
}

/** Everything a part of the proxy may not reach for by itself. */
export interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly net: Net;
  /** Whether the time that routes take is measured: somebody wants to log it. */
  readonly routeTimes?: { measured: boolean };
}
