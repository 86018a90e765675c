import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FIELD_ORDER, renderFieldOrder } from './gen-field-order.ts';

test('the order of fields is that of the descriptors (node tools/gen-field-order.ts)', () => {
  expect(readFileSync(FIELD_ORDER, 'utf8')).toBe(renderFieldOrder());
});
