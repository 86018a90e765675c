import { createServer, type Server } from 'node:net';
import { tryBind } from './ports.ts';

/** A pod's own address, and the one its sidecar takes the application's outgoing traffic on. */
export interface PodAddress {
  readonly address: string;
  readonly egress: string;
}

/**
 * Addresses for the pods of one mesh: 127.NET.x.y with egress addresses at 127.(NET+128).x.y, NET being 64 for the first
 * mesh on a machine, 65 for the next. Where a system has only 127.0.0.1 (macOS as delivered), every pod has that, and
 * `unique` is false: ports tell pods apart.
 */
export interface PodNetwork {
  readonly unique: boolean;
  /** Counts meshes on this machine, from 0. */
  readonly slot: number;
  allocate(): PodAddress;
  release(address: PodAddress): void;
  close(): void;
}

const LOCK_PORT = 15019;
const FIRST_NET = 64;
const LAST_NET = 126;

/**
 * Finds a network that no other running mesh has. The lock is a listening socket at 127.NET.0.1: whatever way this
 * process ends, the system takes it back.
 */
export async function openPodNetwork(options: { loopbackOnly?: boolean } = {}): Promise<PodNetwork> {
  if (!options.loopbackOnly && (await tryBind(`127.${FIRST_NET}.0.9`, 0)) !== 'unavailable') {
    for (let net = FIRST_NET; net <= LAST_NET; net++) {
      const lock = await listen(`127.${net}.0.1`, LOCK_PORT);
      if (lock !== undefined) return new LoopbackNetwork(net, lock);
    }
  }
  return new SharedLoopback();
}

function listen(host: string, port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', () => resolve(undefined));
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

class LoopbackNetwork implements PodNetwork {
  readonly unique = true;
  readonly slot: number;
  readonly #net: number;
  readonly #lock: Server;
  readonly #used = new Set<number>();
  #cursor = 2;

  constructor(net: number, lock: Server) {
    this.#net = net;
    this.slot = net - FIRST_NET;
    this.#lock = lock;
  }

  /** Addresses are not used again before all others were: a late packet for a pod that is gone meets nobody. */
  allocate(): PodAddress {
    for (let i = 0; i < 65_536; i++) {
      const n = this.#cursor;
      this.#cursor = n >= 65_279 ? 2 : n + 1;
      const low = n & 255;
      if (low === 0 || low === 255 || this.#used.has(n)) continue;
      this.#used.add(n);
      return { address: `127.${this.#net}.${n >> 8}.${low}`, egress: `127.${this.#net + 128}.${n >> 8}.${low}` };
    }
    throw new Error('no address is left for another pod');
  }

  release({ address }: PodAddress): void {
    const [, , high, low] = address.split('.').map(Number);
    this.#used.delete((high! << 8) | low!);
  }

  close(): void {
    this.#lock.close();
  }
}

class SharedLoopback implements PodNetwork {
  readonly unique = false;
  readonly slot = 0;

  allocate(): PodAddress {
    return { address: '127.0.0.1', egress: '127.0.0.1' };
  }

  release(): void {}

  close(): void {}
}
