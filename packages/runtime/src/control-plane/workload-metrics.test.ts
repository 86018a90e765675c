import type { ProxyNode } from '@mizzen/control-plane/grpc/index.ts';
import { ManualClock } from '@mizzen/control-plane/manual-clock.ts';
import { expect, test } from 'vitest';
import { WorkloadMetrics } from './workload-metrics.ts';

const MINUTE = 60_000;
const node = (pod: string): ProxyNode => ({
  id: `sidecar~10.0.0.1~${pod}.shop~shop.svc.cluster.local`,
  cluster: '',
  metadata: { NAMESPACE: 'shop', SERVICE_ACCOUNT: 'default' },
  locality: {},
  version: '',
});

test('a proxy that went is told of for ten minutes, and as long as it has another stream', () => {
  const clock = new ManualClock();
  const metrics = new WorkloadMetrics({ clock, authorize: () => ({}), onProblem: () => undefined });
  const pods = (): string[] => metrics.known.map((id) => id.split(/[~.]/)[5]!).toSorted();
  metrics.connect(node('a-0'));
  metrics.connect(node('a-0'));
  metrics.connect(node('b-0'));
  expect(pods()).toEqual(['a-0', 'b-0']);
  metrics.disconnect(node('a-0'));
  metrics.disconnect(node('b-0'));
  clock.advance(9 * MINUTE);
  expect(pods()).toEqual(['a-0', 'b-0']);
  metrics.connect(node('b-0'));
  metrics.disconnect(node('b-0'));
  clock.advance(9 * MINUTE);
  expect(pods()).toEqual(['a-0', 'b-0']);
  clock.advance(2 * MINUTE);
  expect(pods()).toEqual(['a-0']);
});

test('so many that went are forgotten first that memory is bounded', () => {
  const metrics = new WorkloadMetrics({
    clock: new ManualClock(),
    authorize: () => ({}),
    onProblem: () => undefined,
  });
  metrics.connect(node('stays-0'));
  for (let i = 0; i < 6000; i++) {
    metrics.connect(node(`p-${i}`));
    metrics.disconnect(node(`p-${i}`));
  }
  expect(metrics.known).toHaveLength(5000);
  expect(metrics.known).toContain(node('stays-0').id);
  expect(metrics.known).toContain(node('p-5999').id);
  expect(metrics.known).not.toContain(node('p-0').id);
});
