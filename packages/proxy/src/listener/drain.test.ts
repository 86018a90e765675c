import { describe, expect, test } from 'vitest';
import type { Deps } from '../deps.ts';
import { drainDecision } from './drain.ts';

describe('what answers say while connections are drained', () => {
  let now = 1000;
  let float = 0.5;
  const deps = { clock: { now: () => now }, random: { float: () => float } } as unknown as Deps;

  test('gradually: more and more of them ask for the end, and all once the time is over', () => {
    const decision = drainDecision({ time: 600, immediate: false }, deps);
    expect(decision()).toBe(false);
    now += 299;
    expect(decision()).toBe(false);
    now += 2;
    expect(decision()).toBe(true);
    float = 0.99;
    expect(decision()).toBe(false);
    now += 300;
    expect(decision()).toBe(true);
  });

  test('at once, when that is asked for or there is no time', () => {
    float = 0.99;
    expect(drainDecision({ time: 600, immediate: true }, deps)()).toBe(true);
    expect(drainDecision({ time: 0, immediate: false }, deps)()).toBe(true);
  });
});
