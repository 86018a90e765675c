import { Transform, type TransformCallback } from 'node:stream';
import type { Clock, Timer } from '../../deps.ts';

/** Bytes that may pass now; what is not used up adds up to a second's worth. One for all that share a limit. */
export class ByteAllowance {
  readonly #clock: Clock;
  /** Bytes a millisecond. */
  readonly #rate: number;
  #bytes = 0;
  #last: number;

  constructor(kib: number, clock: Clock) {
    this.#clock = clock;
    this.#rate = (kib * 1024) / 1000;
    this.#last = clock.now();
  }

  /** How many of `wanted` bytes may pass; they then count as passed. */
  take(wanted: number): number {
    const now = this.#clock.now();
    this.#bytes = Math.min(this.#rate * 1000, this.#bytes + (now - this.#last) * this.#rate);
    this.#last = now;
    const taken = Math.min(wanted, Math.floor(this.#bytes));
    this.#bytes -= taken;
    return taken;
  }
}

export interface Pace {
  readonly allowance: ByteAllowance;
  /** Milliseconds until what could not pass is looked at again. */
  readonly interval: number;
  readonly clock: Clock;
  /** So many bytes passed; `held`: others have to wait. */
  readonly onPassed: (bytes: number, held: boolean) => void;
}

/** A body that passes as fast as an allowance lets it, and does not change. */
export class PacedBody extends Transform {
  readonly #pace: Pace;
  #timer: Timer | undefined;

  constructor(pace: Pace) {
    super();
    this.#pace = pace;
  }

  override _transform(data: Buffer, _encoding: string, done: TransformCallback): void {
    const { allowance, interval, clock, onPassed } = this.#pace;
    const bytes = allowance.take(data.length);
    const held = bytes < data.length;
    onPassed(bytes, held);
    if (bytes > 0) this.push(data.subarray(0, bytes));
    if (!held) {
      done();
      return;
    }
    this.#timer = clock.after(interval, () => this._transform(data.subarray(bytes), '', done));
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#timer?.cancel();
    done(error);
  }
}
