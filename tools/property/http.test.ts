import { expect, test } from 'vitest';
import { compareTraffic } from './http.ts';

test('malformed traffic is answered, passed on and logged as by Envoy', { timeout: 60_000 }, async () => {
  expect(await compareTraffic(301, 150)).toEqual([]);
});
