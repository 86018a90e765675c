import { expect, test } from 'vitest';
import type { CompileContext } from '../../program/context.ts';
import { testDeps } from '../../program/testing/deps.ts';
import type { LogSource } from '../../program/types.ts';
import { TaggedStats } from '../../telemetry/tagged.ts';
import { FilterState } from '../../filter-state/state.ts';
import { peerOf, UPSTREAM_PEER, type WorkloadPeer } from '../peer.ts';
import { StatsRecorder } from './recorder.ts';
import { MAX_SERIES } from './series.ts';

function stateWith(peer: WorkloadPeer): FilterState {
  const state = new FilterState();
  state.set(UPSTREAM_PEER, peer, 'NONE');
  return state;
}

const request = (authority: string, peer?: WorkloadPeer): LogSource =>
  ({
    request: { authority },
    info: {
      responseCode: 200,
      responseFlags: 0,
      flagOrder: [],
      upstreamCluster: 'PassthroughCluster',
      routeName: '',
      connection: {},
      ...(peer === undefined ? {} : { filterState: stateWith(peer) }),
    },
  }) as unknown as LogSource;

test('hosts and values that clients make up are told apart up to a limit, and what is beyond it is counted', () => {
  const tagged = new TaggedStats();
  const context = { deps: { ...testDeps, tagged }, direction: 'OUTBOUND' } as unknown as CompileContext;
  const recorder = new StatsRecorder(context, {}, tagged);
  const overflow = (): number =>
    tagged.find('istiocustom.mizzen_metrics_overflow_total.reporter.source')!.counter.value;
  expect(overflow()).toBe(0);
  const count = (host: string, ...values: string[]): void =>
    recorder.find(request(host), 'http', '', values).add('requests_total', 1);
  for (let i = 0; i < MAX_SERIES; i++) count(`host-${i}`, `value-${i}`);
  const before = [...tagged.all()].length;
  expect(overflow()).toBe(0);
  for (let i = 0; i < 500; i++) for (let again = 0; again < 2; again++) count(`more-${i}`, `more-${i}`);
  count('host-7', 'value-7');
  expect([...tagged.all()].length).toBe(before + 1);
  expect(overflow()).toBe(1000);
  const total = [...tagged.all()]
    .filter(({ name }) => name.endsWith('requests_total'))
    .map(({ counter, tags }) => [tags.find(([tag]) => tag === 'destination_service')?.[1], counter.value] as const);
  expect(total.find(([host]) => host === 'host-7')?.[1]).toBe(2);
  expect(total.find(([host]) => host === 'unknown')?.[1]).toBe(1000);
  expect(total.reduce((sum, [, value]) => sum + value, 0)).toBe(MAX_SERIES + 1001);
});

test('so are peers that make themselves up, and statuses of gRPC', () => {
  const tagged = new TaggedStats();
  const context = { deps: { ...testDeps, tagged }, direction: 'OUTBOUND' } as unknown as CompileContext;
  const recorder = new StatsRecorder(context, {}, tagged);
  const count = (name: string, status: number): void => {
    const source = request('', peerOf({ WORKLOAD_NAME: name, NAMESPACE: name }));
    recorder.find(source, 'grpc', String(status), []).add('requests_total', 1);
  };
  for (let i = 0; i < MAX_SERIES; i++) count(`workload-${i}`, 0);
  const before = [...tagged.all()].length;
  for (let i = 0; i < 500; i++) count(`more-${i}`, 17 + i);
  expect([...tagged.all()].length).toBe(before + 1);
  const last = [...tagged.all()].at(-1)!;
  expect(last.counter.value).toBe(500);
  expect(last.tags.find(([tag]) => tag === 'destination_workload')?.[1]).toBe('unknown');
});
