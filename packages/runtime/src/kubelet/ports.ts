import { createServer } from 'node:net';

export type Bindable = 'free' | 'taken' | 'denied' | 'unavailable';

/** Tries to listen on an address for a moment: whether it is taken, needs more rights, or does not exist here. */
export function tryBind(address: string, port: number): Promise<Bindable> {
  return new Promise((resolve) => {
    const server = createServer();
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'EADDRINUSE' ? 'taken' : error.code === 'EACCES' ? 'denied' : 'unavailable');
    });
    server.listen({ host: address, port, exclusive: true }, () => {
      server.close(() => resolve('free'));
    });
  });
}

/** Below what systems hand out for outgoing connections (Linux from 32768, macOS and Windows from 49152). */
const FIRST = 20_000;
const LAST = 32_700;

/**
 * Hands out ports on 127.0.0.1, each only once until it is released, so that two pods never get the same; each is tried
 * first because other programs do not ask us.
 */
export class PortAllocator {
  readonly #used = new Set<number>();
  readonly #isFree: (port: number) => Promise<boolean>;
  #cursor: number;

  /** `slot` spreads meshes that run side by side, so that they do not look at the same ports at the same time. */
  constructor(slot = 0, isFree?: (port: number) => Promise<boolean>) {
    this.#cursor = FIRST + ((slot * 997) % (LAST - FIRST));
    this.#isFree = isFree ?? (async (port) => (await tryBind('127.0.0.1', port)) === 'free');
  }

  async allocate(): Promise<number> {
    for (let i = 0; i <= LAST - FIRST; i++) {
      const port = this.#cursor;
      this.#cursor = port >= LAST ? FIRST : port + 1;
      if (this.#used.has(port)) continue;
      this.#used.add(port);
      if (await this.#isFree(port)) return port;
      this.#used.delete(port);
    }
    throw new Error(`no free port between ${FIRST} and ${LAST} on 127.0.0.1`);
  }

  /** Takes a port that was chosen otherwise; false when it was handed out already. */
  claim(port: number): boolean {
    if (this.#used.has(port)) return false;
    this.#used.add(port);
    return true;
  }

  release(port: number): void {
    this.#used.delete(port);
  }
}
