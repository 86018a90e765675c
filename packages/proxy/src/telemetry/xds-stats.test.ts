import { expect, test } from 'vitest';
import type { ProxyNode } from '../process/proxy-node.ts';
import { ResourceRecords } from '../xds/records.ts';
import { addXdsStats } from './xds-stats.ts';

test('of several layers of the runtime updates add up, and times do not', () => {
  let now = 5000;
  const records = new ResourceRecords({ now: () => now, wall: () => now, after: () => ({ cancel: () => undefined }) });
  for (const name of ['a', 'b']) {
    records.succeeded('runtime', name, '1', true);
    now += 1000;
  }
  const node = {
    records,
    clusters: { active: () => [] },
    listeners: { followed: () => [] },
    secrets: { entries: () => [] },
  } as unknown as ProxyNode;
  const values = new Map<string, number>();
  addXdsStats(values, { texts: new Map(), large: new Map() }, node);
  expect(values.get('runtime.update_success')).toBe(2);
  expect(values.get('runtime.update_time')).toBe(6000);
});
