import type { Spread } from './types.ts';

/** `counts`: the places of each host. */
export function spreadOf(counts: readonly number[]): Spread {
  if (counts.length === 0) return { size: 0, least: 0, most: 0 };
  return { size: counts.reduce((sum, count) => sum + count, 0), least: Math.min(...counts), most: Math.max(...counts) };
}
