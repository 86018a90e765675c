import { expect, test } from 'vitest';
import { Headers } from './headers.ts';
import { announceTimeout, NO_TIMEOUTS } from './timeouts.ts';

const told = (limits: object, elapsed: number): (string | undefined)[] => {
  const headers = new Headers();
  announceTimeout(headers, { ...NO_TIMEOUTS, tellsGrpc: true, ...limits }, elapsed, false);
  return [headers.get('x-envoy-expected-rq-timeout-ms'), headers.get('grpc-timeout')];
};

test.each([
  [{ route: 1000 }, 0, '1000'],
  [{ route: 1000 }, 300, '700'],
  [{ route: 1000, perTry: 400 }, 300, '400'],
  [{ route: 1000, perTry: 400 }, 700, '300'],
  [{ route: 1000, perTry: 400 }, 1000, '1'],
  [{ route: 1000 }, 5000, '1'],
  [{ perTry: 400 }, 5000, '400'],
])('%j after %i ms: %s', (limits, elapsed, expected) => {
  expect(told(limits, elapsed)).toEqual([expected, `${expected}m`]);
});

test('no limit, nothing to tell', () => {
  expect(told({}, 5)).toEqual([undefined, undefined]);
});

test('more than eight digits of milliseconds', () => {
  expect(told({ route: 100_000_000 }, 0)[1]).toBe('100000S');
});
