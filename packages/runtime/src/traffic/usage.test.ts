import { expect, test } from 'vitest';
import { ManualClock } from '@mizzen/control-plane/manual-clock.ts';
import type { GroupUsage } from '../metrics/process-groups.ts';
import type { PodStatus } from '../protocol.ts';
import { CurrentUsage, DATA_PLANE } from './usage.ts';

const pod = (name: string, pid: number, node?: string): PodStatus =>
  ({
    owner: { kind: 'Deployment', namespace: 'shop', name },
    containers: [{ name: 'app', pid, restarts: 0, ready: true }],
    node,
  }) as unknown as PodStatus;

test('processors between two times that somebody asked, and at first within half a second', async () => {
  const clock = new ManualClock();
  const used = new Map([
    [10, 1],
    [11, 2],
    [20, 5],
    [21, 7],
  ]);
  const groups = (leaders: ReadonlySet<number>): Map<number, GroupUsage> =>
    new Map(
      [...leaders].map((pid) => [
        pid,
        { cpuSeconds: used.get(pid)!, residentBytes: 100, processes: 1, threads: 1, fileDescriptors: 1 },
      ]),
    );
  const source = {
    pods: [pod('orders', 10, 'a'), pod('orders', 11, 'b')],
    proxies: [{ pid: 20 }, { pid: 21, node: 'a' }],
  };
  const usage = new CurrentUsage(() => source, clock, groups);
  const first = usage.read();
  expect(usage.read()).toBe(first);
  used.set(10, 1.25).set(20, 5.5);
  clock.advance(500);
  expect(await first).toEqual(
    new Map([
      ['shop/orders', { cpu: 0.5, memory: 300 }],
      [DATA_PLANE, { cpu: 1, memory: 100 }],
    ]),
  );
  used.set(11, 4).set(21, 9);
  clock.advance(100);
  expect((await usage.read()).get('shop/orders')?.cpu).toBe(0.5);
  clock.advance(1900);
  expect((await usage.read()).get('shop/orders')?.cpu).toBe(2);
});
