import { after } from '../long-timer.ts';

export interface Timer {
  cancel(): void;
}

/** Time as the kubelet sees it; tests run on a virtual one. */
export interface Clock {
  /** Milliseconds since some fixed point; never goes back. */
  now(): number;
  after(ms: number, fn: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, fn) => ({ cancel: after(ms, fn) }),
};

export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

/** The promise's value, or `fallback` after `ms`. */
export function within<T, F>(clock: Clock, ms: number, promise: Promise<T>, fallback: F): Promise<T | F> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => resolve(fallback));
    promise.then(
      (value) => {
        timer.cancel();
        resolve(value);
      },
      (error: unknown) => {
        timer.cancel();
        reject(error);
      },
    );
  });
}
