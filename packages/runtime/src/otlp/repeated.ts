import type { Clock, Timer } from '@mizzen/control-plane';

/** Does something again and again, each time so many milliseconds after the last has ended, until it is closed. */
export class Repeated {
  readonly #clock: Clock;
  readonly #interval: number;
  readonly #work: () => Promise<void>;
  #timer: Timer | undefined;
  closed = false;

  constructor(clock: Clock, interval: number, work: () => Promise<void>) {
    this.#clock = clock;
    this.#interval = interval;
    this.#work = work;
    this.#later();
  }

  close(): void {
    this.closed = true;
    this.#timer?.cancel();
  }

  #later(): void {
    if (this.closed) return;
    this.#timer = this.#clock.after(this.#interval, () => {
      void this.#work().finally(() => this.#later());
    });
  }
}
