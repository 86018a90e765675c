import { expect, test } from 'vitest';
import { didYouMean, editDistance } from './suggest.ts';

test('distance counts insertions, deletions, replacements and swaps', () => {
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('hsot', 'host')).toBe(1);
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('same', 'same')).toBe(0);
});

test('suggests what is close, and nothing when nothing is', () => {
  const fields = ['timeout', 'retries', 'route', 'rewrite', 'redirect'];
  expect(didYouMean('tiemout', fields)).toBe('timeout');
  expect(didYouMean('Routes', fields)).toBe('route');
  expect(didYouMean('labels', fields)).toBeUndefined();
});
