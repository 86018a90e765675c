import { expect, test } from 'vitest';
import { LONGEST_WINDOW, TrafficWindow } from './window.ts';

const owners = { ofNode: (node: string) => `workload/default/${node}`, ofAddress: () => 'workload/default/web' };
const add = (window: TrafficWindow, node: string, at: number): void => {
  const hosts = [{ address: '127.0.0.2:80', requests: 3, errors: 1, clientErrors: 0, connections: 1, tls: true }];
  window.add([{ node, clusters: [{ cluster: 'outbound|80||web', unsent: 2, times: [[5, 3]], hosts }] }], at, owners);
};
const sums = (window: TrafficWindow): unknown[] =>
  window
    .flows(-Infinity)
    .map(({ source, unsent, targets }) => [source, unsent, targets.values().next().value?.requests]);

test('what is too old goes, also from a flow that nothing is added to; the flow itself stays', () => {
  const window = new TrafficWindow();
  add(window, 'quiet', 0);
  for (let at = 1000; at <= LONGEST_WINDOW + 60_000; at += 1000) add(window, 'busy', at);
  const kept = LONGEST_WINDOW / 1000;
  expect(sums(window)).toEqual([
    ['workload/default/quiet', 0, 0],
    ['workload/default/busy', 2 * kept, 3 * kept],
  ]);
  window.keep((workload) => workload !== 'workload/default/quiet');
  expect(sums(window)).toHaveLength(1);
});
