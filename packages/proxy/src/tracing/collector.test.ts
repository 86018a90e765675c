import { expect, test } from 'vitest';
import { ManualClock } from '../filter/testing/manual-clock.ts';
import type { CompileContext } from '../program/context.ts';
import { Batch, type SpanFlush } from './batch.ts';
import { batchOf, httpServiceCall } from './collector.ts';

function sending(spanFlush?: SpanFlush): { batch: Batch<number>; clock: ManualClock; sent: (readonly number[])[] } {
  const clock = new ManualClock();
  const sent: (readonly number[])[] = [];
  const deps = { counter: () => ({ value: 0 }), ...(spanFlush === undefined ? {} : { spanFlush }) };
  const settings = batchOf({ deps } as unknown as CompileContext, 'zipkin');
  return { batch: new Batch<number>(clock, settings, (spans) => sent.push(spans)), clock, sent };
}

test('spans leave five at a time or after five seconds, as those of Envoy', () => {
  const { batch, clock, sent } = sending();
  for (let i = 0; i < 6; i++) batch.add(i);
  expect(sent).toEqual([[0, 1, 2, 3, 4]]);
  clock.advance(4999);
  expect(sent).toHaveLength(1);
  clock.advance(1);
  expect(sent).toEqual([[0, 1, 2, 3, 4], [5]]);
});

test('where somebody waits for them, more at a time, and sooner', () => {
  const { batch, clock, sent } = sending({ spans: 32, interval: 500 });
  for (let i = 0; i < 40; i++) batch.add(i);
  expect(sent.map(({ length }) => length)).toEqual([32]);
  clock.advance(500);
  expect(sent.map(({ length }) => length)).toEqual([32, 8]);
});

test.each(['Content-Length', 'transfer-encoding'])('a collector is not told %s', (key) => {
  const refused: string[] = [];
  const refuse = (path: readonly (string | number)[]): number => refused.push(path.join('.'));
  const context = { deps: { outerAddress: '192.0.2.1' }, refuse } as unknown as CompileContext;
  const requestHeadersToAdd = [{ header: { key: 'x-a', value: 'b' } }, { header: { key, value: '3' } }];
  httpServiceCall(context, { httpUri: { uri: 'http://c/', cluster: 'c' }, requestHeadersToAdd }, [], ['httpService']);
  expect(refused).toEqual(['httpService.requestHeadersToAdd.1.header.key']);
});
