import { expect, test } from 'vitest';
import { Histories, Recent } from './history.ts';

test('the newest values, the oldest of them first', () => {
  const recent = new Recent(3);
  expect(recent.values()).toEqual([]);
  recent.push(1);
  recent.push(null);
  expect(recent.values()).toEqual([1, null]);
  for (const value of [3, 4, 0]) recent.push(value);
  expect(recent.values()).toEqual([3, 4, 0]);
  recent.push(5);
  expect(recent.values()).toEqual([4, 0, 5]);
});

test('of what has gone and come back, only what came since', () => {
  const histories = new Histories(10);
  const a = { id: 'a', requestRate: 2, errorRate: 1, clientErrorRate: 0.5 };
  histories.push([a, { id: 'b', requestRate: 1, errorRate: 0, clientErrorRate: 0, p99: 7 }]);
  histories.push([a]);
  expect(histories.of('b')).toBeUndefined();
  expect(histories.of('a')).toEqual({ requests: [2, 2], errors: [1, 1], clientErrors: [0.5, 0.5], p99: [null, null] });
  histories.push([a, { id: 'b', requestRate: 3, errorRate: 0, clientErrorRate: 0, p99: 9 }]);
  expect(histories.of('b')).toEqual({ requests: [3], errors: [0], clientErrors: [0], p99: [9] });
});
