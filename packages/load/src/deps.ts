import { randomBytes } from 'node:crypto';

/** Time as the generator sees it. */
export interface Clock {
  /** Milliseconds since some fixed point, as a fraction; never goes back. */
  now(): number;
  /** Milliseconds since the Unix epoch. */
  wall(): number;
  /** Calls `fn` once after `ms`; returns what cancels it. */
  after(ms: number, fn: () => void): () => void;
}

export interface Random {
  /** Uniform in [0, 1). */
  float(): number;
}

/** The same numbers for the same seed (mulberry32), so that a run can be repeated. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return {
    float() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
    },
  };
}

export function freshSeed(): number {
  return randomBytes(4).readUInt32LE();
}

/** A whole number from `from` to `to`, both included. */
export function between(random: Random, from: number, to: number): number {
  return from + Math.floor(random.float() * (to - from + 1));
}
