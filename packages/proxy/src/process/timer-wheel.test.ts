import { describe, expect, test, vi } from 'vitest';
import { TimerWheel } from './timer-wheel.ts';

describe('TimerWheel', () => {
  test('fires every timer, never early and at most two ticks late, whatever wheel it was put in', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const wheel = new TimerWheel(() => performance.now());
      const late: number[] = [];
      const plan = (delay: number): void => {
        const due = performance.now() + delay;
        wheel.after(delay, () => late.push(performance.now() - due));
      };
      const delays = [0, 1, 8, 100, 2040, 2048, 2056, 4096, 30_000, 524_280, 524_288, 524_300, 900_000, 1_100_000];
      for (let round = 0; round < 5; round++) {
        for (const delay of delays) plan(delay);
        vi.advanceTimersByTime(777);
      }
      vi.advanceTimersByTime(1_200_000);
      expect(late).toHaveLength(delays.length * 5);
      expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...late)).toBeLessThan(17);
    } finally {
      vi.useRealTimers();
    }
  });

  test('a cancelled timer does not fire, and the order of due times is kept', async () => {
    const wheel = new TimerWheel(() => performance.now());
    const fired: string[] = [];
    wheel.after(60, () => fired.push('late'));
    const gone = wheel.after(20, () => fired.push('cancelled'));
    wheel.after(20, () => fired.push('early'));
    gone.cancel();
    gone.cancel();
    await new Promise((done) => setTimeout(done, 120));
    expect(fired).toEqual(['early', 'late']);
  });

  test('goes on after a callback threw', async () => {
    let time = 0;
    const wheel = new TimerWheel(() => time);
    const fired: number[] = [];
    const thrown: unknown[] = [];
    const listener = (error: unknown): void => void thrown.push(error);
    const before = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', listener);
    wheel.after(8, () => {
      throw new Error('from a timer');
    });
    for (const nth of [1, 2, 3]) wheel.after(8, () => fired.push(nth));
    wheel.after(16, () => fired.push(16));
    time = 100;
    const keep = setInterval(() => undefined, 5);
    await new Promise((done) => setTimeout(done, 150));
    clearInterval(keep);
    process.off('uncaughtException', listener);
    for (const other of before) process.on('uncaughtException', other);
    expect(thrown).toHaveLength(1);
    expect(fired).toEqual([1, 2, 3, 16]);
  });
});
