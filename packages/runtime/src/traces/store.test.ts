import { ManualClock } from '@mizzen/control-plane/manual-clock.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LIMITS, type TraceFilter, TraceStore } from './store.ts';
import { hex, span } from './testing/spans.ts';

const all = { limit: 1000 };
const store = (limits: Partial<typeof LIMITS> = {}, clock = new ManualClock()): TraceStore =>
  new TraceStore(clock, { ...LIMITS, ...limits });
const ids = (from: TraceStore, filter: Partial<TraceFilter> = {}): number[] =>
  from.list({ ...all, ...filter }).map(({ id }) => Number(`0x${id}`));

test('spans of one trace are one, in whatever order and reports they come', () => {
  const kept = store();
  kept.add([span(1, 2, 110, 180, { parentId: hex(1, 16), service: 'api.default', kind: 'server', error: true })]);
  kept.add([span(2, 1, 500, 600), span(1, 1, 100, 200)]);
  expect(kept.get(hex(1, 32))).toMatchObject({ start: 100, end: 200, errors: 1 });
  expect(kept.get(hex(1, 32))?.spans.map(({ id }) => Number(id))).toEqual([2, 1]);
  expect(ids(kept)).toEqual([2, 1]);
  expect(kept.services()).toEqual(['api.default', 'web.default']);
});

test('a list is narrowed by service, duration, error, status and time', () => {
  const kept = store();
  kept.add([
    span(1, 1, 1000, 1100),
    span(2, 1, 2000, 2500, { service: 'api.default', status: 404 }),
    span(3, 1, 3000, 4000, { service: 'api.default', status: 503, error: true }),
  ]);
  expect(ids(kept, { service: 'api.default' })).toEqual([3, 2]);
  expect(ids(kept, { service: 'nobody' })).toEqual([]);
  expect(ids(kept, { minDuration: 500 })).toEqual([3, 2]);
  expect(ids(kept, { maxDuration: 500 })).toEqual([2, 1]);
  expect(ids(kept, { error: true })).toEqual([3]);
  expect(ids(kept, { error: false })).toEqual([2, 1]);
  expect(ids(kept, { status: 404 })).toEqual([2]);
  expect(ids(kept, { status: 5 })).toEqual([3]);
  expect(ids(kept, { since: 2000, until: 2999 })).toEqual([2]);
  expect(ids(kept, { limit: 1 })).toEqual([3]);
});

test('a trace is found by its short id and by the id of its request', () => {
  const kept = store();
  const request = '5f2d1b5e-9d43-9b2d-8d7e-1c2a3b4c5d6e';
  kept.add([span(0xabc, 1, 1, 2, { tags: { 'guid:x-request-id': request } })]);
  const sent = '5f2d1b5e-9d43-4b2d-8d7e-1c2a3b4c5d6e';
  for (const id of ['ABC', hex(0xabc, 16), hex(0xabc, 32), request, request.toUpperCase(), sent]) {
    expect(kept.get(id)?.requestId).toBe(request);
  }
  expect(kept.get('abd')).toBeUndefined();
});

test('both sides of a call may share an id; what comes twice is kept once', () => {
  const kept = store();
  const [client, server] = [span(1, 1, 1, 9), span(1, 1, 2, 8, { kind: 'server', service: 'api.default' })];
  kept.add([client, server, client, server]);
  expect(kept.get(hex(1, 32))?.spans).toEqual([client, server]);
  expect(kept.kept).toMatchObject({ traces: 1, spans: 2, dropped: 2 });
});

test('what is too old goes', () => {
  const clock = new ManualClock();
  const kept = store({ age: 60_000 }, clock);
  kept.add([span(1, 1, 1, 2, { tags: { 'guid:x-request-id': 'first' } })]);
  clock.advance(40_000);
  kept.add([span(2, 1, 3, 4)]);
  clock.advance(20_001);
  expect(ids(kept)).toEqual([2]);
  expect(kept.get('first')).toBeUndefined();
  clock.advance(60_000);
  expect(kept.services()).toEqual([]);
  expect(kept.kept).toEqual({ traces: 0, spans: 0, bytes: 0, dropped: 2 });
});

test('one trace cannot take all there is', () => {
  const kept = store({ spansOfTrace: 3 });
  kept.add([1, 2, 3, 4, 5].map((id) => span(1, id, id, id + 1)));
  expect(kept.kept).toMatchObject({ spans: 3, dropped: 2 });
});

test('whatever comes, no more is kept than the bounds allow, the newest first, and nothing else is lost', () => {
  const report = fc.array(
    fc.record({
      trace: fc.integer({ min: 1, max: 30 }),
      id: fc.integer({ min: 1, max: 6 }),
      tag: fc.string({ maxLength: 300 }),
    }),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(fc.array(report, { maxLength: 20 }), (reports) => {
      const kept = store({ bytes: 8000 });
      let sent = 0;
      for (const spans of reports) {
        kept.add(spans.map(({ trace, id, tag }) => span(trace, id, sent++ + 1, sent + 5, { tags: { tag } })));
        const { bytes, spans: there, traces, dropped } = kept.kept;
        expect(bytes).toBeLessThanOrEqual(8000);
        expect(there + dropped).toBe(sent);
        const listed = kept.list(all);
        expect(listed).toHaveLength(traces);
        expect(listed.reduce((sum, trace) => sum + trace.spans.length, 0)).toBe(there);
      }
    }),
    { numRuns: 50 },
  );
});

test('many large spans stay within the bound', () => {
  const kept = store({ bytes: 4 * 1024 * 1024 });
  const tags = (n: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`some.name.of.a.tag.${i}`, `value ${i} of ${n}`]));
  for (let n = 1; n <= 10_000; n++) kept.add([span(n, 1, n, n + 10, { tags: tags(n) })]);
  expect(kept.kept.bytes).toBeLessThanOrEqual(4 * 1024 * 1024);
  expect(kept.kept.spans).toBeGreaterThan(1000);
  expect(kept.kept.spans).toBeLessThan(5000);
});
