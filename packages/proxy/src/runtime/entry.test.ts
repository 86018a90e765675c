import { expect, test } from 'vitest';
import { entryOfText } from './entry.ts';

// An expression with more than one way to read these takes longer than anybody lives.
test('reads texts in one way, however long their remarks and numbers are', () => {
  const remark = '#'.repeat(5000);
  expect(entryOfText(` ${remark}\n7`)).toMatchObject({ number: 7 });
  expect(entryOfText(` ${remark}\n # ${remark}\n`).number).toBeUndefined();
  expect(entryOfText(`'${'1'.repeat(50_000)}x'`).number).toBeUndefined();
  expect(entryOfText(`'0x${'1'.repeat(50_000)}x'`).number).toBeUndefined();
  expect(entryOfText("'1.5'").raw).toBe("'1.5'");
  expect(entryOfText('0x1.8p1')).toMatchObject({ number: 3 });
  expect(entryOfText('2.')).toMatchObject({ number: 2 });
});
