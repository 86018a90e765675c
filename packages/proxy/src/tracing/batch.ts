import type { Clock, Timer } from '../deps.ts';
import type { Live } from '../runtime/live.ts';

/** Spans that are kept at most while those before are on their way; what comes beyond is dropped. */
const MAX_WAITING = 16_384;

/** Gathers spans until there are enough of them or the oldest has waited long enough. */
export class Batch<T> {
  #items: T[] = [];
  #timer: Timer | undefined;
  readonly #clock: Clock;
  readonly #send: (items: readonly T[]) => void;
  readonly #settings: BatchSettings;
  dropped = 0;

  constructor(clock: Clock, settings: BatchSettings, send: (items: readonly T[]) => void) {
    this.#clock = clock;
    this.#settings = settings;
    this.#send = send;
  }

  add(item: T): void {
    if (this.#items.length >= MAX_WAITING) {
      this.dropped++;
      return;
    }
    this.#items.push(item);
    if (this.#items.length >= this.#settings.minFlush.value) {
      this.#flush();
      return;
    }
    this.#timer ??= this.#clock.after(this.#settings.interval.value, () => {
      this.#timer = undefined;
      this.#settings.onTimer();
      this.#flush();
    });
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const items = this.#items;
    if (items.length === 0) return;
    this.#items = [];
    this.#send(items);
  }
}

/** When spans leave, where no runtime key says. */
export interface SpanFlush {
  /** As soon as there are so many. */
  readonly spans: number;
  /** After so many milliseconds in any case. */
  readonly interval: number;
}

export interface BatchSettings {
  readonly minFlush: Live<number>;
  /** Milliseconds. */
  readonly interval: Live<number>;
  readonly onTimer: () => void;
}
