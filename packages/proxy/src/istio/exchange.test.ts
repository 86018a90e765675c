import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { FilterState } from '../filter-state/state.ts';
import { CompileContext } from '../program/context.ts';
import { ManualClock } from '../filter/testing/manual-clock.ts';
import { testDeps } from '../program/testing/deps.ts';
import type { CompileDeps } from '../program/types.ts';
import { TaggedStats } from '../telemetry/tagged.ts';
import { beginExchange, compileExchange, type ExchangeProgram, type PeerExchange } from './exchange.ts';
import { DOWNSTREAM_PEER, NO_PEER, type WorkloadPeer } from './peer.ts';
import { Series, SeriesMap } from './stats/series.ts';

const PROTOCOL = 'istio-peer-exchange';

function program(): ExchangeProgram {
  const counters = new Map<string, { value: number }>();
  const deps: CompileDeps = {
    ...testDeps,
    counter: (name) => counters.get(name) ?? counters.set(name, { value: 0 }).get(name)!,
    nodeId: 'sidecar~1.2.3.4~web-0.shop~shop.svc.cluster.local',
    nodeMetadata: { NAME: 'web-0', NAMESPACE: 'shop', WORKLOAD_NAME: 'web', LABELS: { app: 'web', team: 'a' } },
  };
  return compileExchange(new CompileContext('', '', deps), { protocol: PROTOCOL, additionalLabels: ['team'] });
}

function begin(agreed = PROTOCOL): {
  readonly own: ExchangeProgram;
  readonly exchange: PeerExchange | undefined;
  readonly state: FilterState;
  readonly written: Buffer | null;
} {
  const own = program();
  const state = new FilterState();
  const to = new PassThrough();
  const exchange = beginExchange(own, state, DOWNSTREAM_PEER, agreed, to);
  return { own, exchange, state, written: to.read() as Buffer | null };
}

test('what one end writes the other reads, wherever it is cut', () => {
  const { frame } = program();
  const all = Buffer.concat([frame, Buffer.from('payload')]);
  for (let cut = 0; cut <= all.length; cut++) {
    const { exchange, state, written } = begin();
    expect(written).toEqual(frame);
    const parts = [all.subarray(0, cut), all.subarray(cut)].filter(({ length }) => length > 0);
    const rest = parts.map((part) => exchange!.read(part)?.toString() ?? '').join('');
    expect(rest).toBe('payload');
    const peer = state.get(DOWNSTREAM_PEER) as WorkloadPeer;
    expect(peer.is).toMatchObject({
      name: 'web-0',
      namespace: 'shop',
      workload: 'web',
      app: 'web',
      labels: [['team', 'a']],
    });
    expect(exchange!.done).toBe(true);
  }
});

test.each([
  ['no frame', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'GET / HTTP/1.1\r\n\r\n', 'initial_header_not_found'],
  ['a frame of nonsense', Buffer.from('3d230467000000020aff', 'hex'), '\n\xff', 'header_not_found'],
  ['a frame without end', Buffer.from('3d230467ffffffff41', 'hex'), undefined, 'initial_header_not_found'],
] as const)('%s: the bytes pass, and nobody is the peer', (_name, bytes, passed, count) => {
  const { own, exchange, state } = begin();
  const rest = exchange!.read(bytes);
  expect(rest?.toString('latin1')).toBe(passed ?? bytes.toString('latin1'));
  expect(own.counts[count].value).toBe(1);
  expect(state.get(DOWNSTREAM_PEER)).toBeUndefined();
  expect(state.get(NO_PEER)).toBeDefined();
  expect(exchange!.read(Buffer.from('more'))?.toString()).toBe('more');
});

test('without ALPN nothing is said', () => {
  const { own, exchange, state, written } = begin('');
  expect([exchange, written]).toEqual([undefined, null]);
  expect(own.counts.alpn_protocol_not_found.value).toBe(1);
  expect(state.get(NO_PEER)).toBeDefined();
});

test('with rotation, what has not been used for a whole turn goes, and what has been keeps its value', () => {
  const clock = new ManualClock();
  const tagged = new TaggedStats();
  const map = new SeriesMap(clock, 1000, 100);
  const use = (key: string): void => {
    map.rotate();
    let series = map.get(key);
    if (series === undefined) map.set(key, (series = new Series(tagged, undefined, [['to', key]], [])));
    series.add('requests_total', 1);
  };
  const values = (): Record<string, number> =>
    Object.fromEntries([...tagged.all()].map(({ tags, counter }) => [tags[0]![1], counter.value]));
  use('a');
  use('b');
  clock.advance(1000);
  use('a');
  expect(values()).toEqual({ a: 2, b: 1 });
  clock.advance(100);
  use('a');
  expect(values()).toEqual({ a: 3 });
});

test('with rotation, what is not used goes though nothing else is used either, and then nothing waits', () => {
  const clock = new ManualClock();
  const tagged = new TaggedStats();
  const map = new SeriesMap(clock, 1000, 100);
  const series = new Series(tagged, undefined, [['to', 'a']], []);
  map.set('a', series);
  series.add('requests_total', 1);
  const count = (): number => [...tagged.all()].length;
  clock.advance(1000);
  expect([count(), map.generation, clock.waiting]).toEqual([1, 1, 1]);
  clock.advance(100);
  expect([count(), clock.waiting]).toEqual([0, 0]);
});
