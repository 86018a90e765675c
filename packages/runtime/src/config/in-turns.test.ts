import { expect, test } from 'vitest';
import { inTurns } from './in-turns.ts';

/** Every look at it is four milliseconds later than the one before. */
const slow = (): { now: () => number } => {
  let at = 0;
  return { now: () => (at += 4) };
};

test('others have their turn while it goes on', async () => {
  const seen: (number | string)[] = [];
  const other = (): void => {
    seen.push('other');
    if (!seen.includes(9)) setImmediate(other);
  };
  setImmediate(other);
  await inTurns(
    Array.from({ length: 10 }, (_, index) => index),
    (each) => seen.push(each),
    { clock: slow() },
  );
  expect(seen.filter((each) => each !== 'other')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(seen.filter((each) => each === 'other').length).toBeGreaterThanOrEqual(3);
  expect(seen.indexOf('other')).toBeLessThan(4);
});

test('what nobody wants any more ends, also what is yet to be made', async () => {
  const abort = new AbortController();
  let made = 0;
  function* numbers(): Generator<number> {
    for (;;) yield made++;
  }
  const work = inTurns(numbers(), (each) => void (each === 20 && abort.abort(new Error('gone'))), {
    clock: slow(),
    signal: abort.signal,
  });
  await expect(work).rejects.toThrow('gone');
  expect(made).toBeLessThan(30);
});
