import { type Target, withLess } from './target.ts';

/** A target with every fault that fuzzing looks for: what the tests of the fuzzer itself feed. */
export const target: Target = {
  make: (random) => ({
    text: `${'a\n'.repeat(random.below(5))}${random.pick(['throw', 'loop', 'grow', 'fine'])} ${random.below(3)}\nb`,
  }),
  run({ text = '' }) {
    if (text.includes('throw')) throw new TypeError(`bad thing ${text.length}`);
    if (text.includes('loop')) for (;;);
    if (text.includes('grow')) for (const kept: number[][] = []; ;) kept.push(Array.from(new Float64Array(100_000)));
  },
  smaller: withLess,
};
