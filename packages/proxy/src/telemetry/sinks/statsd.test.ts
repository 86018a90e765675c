import { expect, test } from 'vitest';
import { DatagramWriter } from './datagrams.ts';
import { StatsdSink } from './statsd.ts';
import type { StatsdProgram } from './types.ts';
import { UsedStats } from './used.ts';

function written(limit: number, write: (writer: DatagramWriter) => void): string[] {
  const sent: string[] = [];
  const socket = { send: (bytes: Buffer) => void sent.push(bytes.toString()), close: () => Promise.resolve() };
  write(new DatagramWriter(socket, limit));
  return sent;
}

function lines(program: Partial<StatsdProgram>, use: (sink: StatsdSink) => void): string[] {
  const out: string[] = [];
  const writer = { batch: (more: readonly string[]) => void out.push(...more), close: () => Promise.resolve() };
  const base = { kind: 'statsd', to: { cluster: 'c' }, prefix: 'envoy', tagged: false, datagram: 0 } as const;
  const tagsOf = (name: string): { name: string; tags: { name: string; value: string }[] } => {
    const found = /^cluster\.([^.]+)\.(.*)$/.exec(name);
    if (found === null) return { name, tags: [] };
    return {
      name: `cluster.${found[2]}`,
      tags: [
        { name: 'envoy.cluster_name', value: found[1]! },
        { name: 'zone', value: 'z' },
      ],
    };
  };
  use(new StatsdSink({ ...base, ...program }, tagsOf, writer));
  return out;
}

test('lines have datagrams of their own, or share them up to the limit', () => {
  const all = ['aaaa', 'bbbb', 'cccccccccccc', 'dd', 'e'];
  expect(written(0, (writer) => writer.batch(all))).toEqual(all);
  // What is as long as the limit goes at once, before what waits.
  expect(written(9, (writer) => writer.batch(all))).toEqual(['cccccccccccc', 'aaaa\nbbbb', 'dd\ne']);
  expect(written(100, (writer) => writer.batch(all))).toEqual([all.join('\n')]);
});

test('counters are what came, gauges what is, histograms each value', () => {
  const use = (sink: StatsdSink): void => {
    sink.flush({
      wall: 0,
      counters: [{ name: 'cluster.a.rq', value: 7, delta: 2 }],
      gauges: [{ name: 'version', value: 18446744073709551615n }],
      histograms: [],
    });
    sink.record('cluster.a.time', 12, 1);
    sink.record('share', 250, 1000);
  };
  expect(lines({ prefix: 'p' }, use)).toEqual([
    'p.cluster.a.rq:2|c',
    'p.version:18446744073709551615|g',
    'p.cluster.a.time:12|ms',
    'p.share:0.25|h',
  ]);
  expect(lines({ tagged: true }, use)).toEqual([
    'envoy.cluster.rq:2|c|#envoy.cluster_name:a,zone:z',
    'envoy.version:18446744073709551615|g',
    'envoy.cluster.time:12|ms|#envoy.cluster_name:a,zone:z',
    'envoy.share:0.25|h',
  ]);
});

test('a statistic that was used once stays used, and zeros count that somebody has set', () => {
  const used = new UsedStats();
  const values = new Map<string, number>([['cluster.a.upstream_cx_total', 0]]);
  const is = (name: string, value: number): boolean => used.used(name, value, values);
  expect(is('cluster.a.upstream_cx_active', 0)).toBe(false);
  expect(is('cluster.a.upstream_rq_retry', 0)).toBe(false);
  values.set('cluster.a.upstream_cx_total', 1);
  expect(is('cluster.a.upstream_cx_active', 0)).toBe(true);
  expect(is('cluster.a.circuit_breakers.default.cx_open', 0)).toBe(true);
  expect(is('cluster.a.upstream_rq_retry', 3)).toBe(true);
  expect(is('cluster.a.upstream_rq_retry', 0)).toBe(true);
  expect([is('server.live', 0), is('server.envoy_bug_failures', 0)]).toEqual([true, false]);
});
