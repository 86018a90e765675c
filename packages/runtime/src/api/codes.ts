import { randomBytes } from 'node:crypto';
import type { Clock } from '@mizzen/control-plane';

/** A browser has started by then. */
const LIFE_MS = 60_000;
const MOST = 100;

/**
 * Codes by which a page gets the token: in the command line of a browser anybody on the machine can read what it opens,
 * so that what stands there is good once, and for a minute.
 */
export class Codes {
  readonly #clock: Clock;
  readonly #issued = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  issue(): string {
    const code = randomBytes(24).toString('base64url');
    if (this.#issued.size >= MOST) this.#issued.delete([...this.#issued.keys()][0]!);
    this.#issued.set(code, this.#clock.now());
    return code;
  }

  /** True once for each code that was issued within the last minute. */
  redeem(code: string): boolean {
    const issued = this.#issued.get(code);
    this.#issued.delete(code);
    return issued !== undefined && this.#clock.now() - issued <= LIFE_MS;
  }
}
