import type { TopAnswer, TopWorkload } from '@mizzen/runtime/api/types.ts';
import { styler } from '@mizzen/runtime/terminal/style.ts';
import { expect, test } from 'vitest';
import { pressed } from './live.ts';
import { type Shown, type Sort, topLines } from './render.ts';

const workload = (name: string, more: Partial<TopWorkload> = {}): TopWorkload => ({
  kind: 'Deployment',
  namespace: 'store',
  name,
  version: '',
  engine: 'mizzen',
  gateway: false,
  replicas: 1,
  ready: 1,
  state: 'running',
  restarts: 0,
  requestRate: 0,
  errorRate: 0,
  clientErrorRate: 0,
  p50: null,
  p99: null,
  cpu: null,
  memory: null,
  ...more,
});
const answer: TopAnswer = {
  window: 30,
  workloads: [
    workload('orders', {
      requestRate: 4,
      errorRate: 1,
      clientErrorRate: 0.5,
      p50: 2.25,
      p99: 1500,
      cpu: 0.125,
      memory: 64 * 1024 * 1024,
    }),
    workload('catalog', { requestRate: 12.34, p50: 14, p99: 99, cpu: 0.5, memory: 2048, restarts: 3 }),
    workload('web', { namespace: 'default' }),
  ],
  services: [
    { service: 'orders.store.svc.cluster.local', requestRate: 4, errorRate: 1, clientErrorRate: 0, p50: 2, p99: 3 },
    { service: 'web.default.svc.cluster.local', requestRate: 5, errorRate: 0, clientErrorRate: 1, p50: 1, p99: 2 },
  ],
  dataPlane: { cpu: 0.75, memory: 1024 * 1024 },
};
const shown: Shown = { what: 'workloads', sort: 'rate', namespace: undefined };
const names = (sort: Sort, more: Partial<Shown> = {}): string[] =>
  topLines(answer, { ...shown, sort, ...more }, styler(false))
    .slice(1)
    .map((line) => line.split(' ')[0]!);

test('a table of workloads, what is most first', () => {
  expect(topLines(answer, shown, styler(false))).toEqual([
    'NAME           READY  ▾REQ/S  ERR%  4XX%    P50    P99  CPU%  MEMORY  RESTARTS  STATE',
    'catalog.store  1/1      12.3   0.0   0.0   14ms   99ms  50.0   2.0Ki         3  running',
    'orders.store   1/1       4.0  25.0  12.5  2.3ms  1.50s  12.5    64Mi         0  running',
    '(sidecars)     -         0.0     -     -      -      -  75.0   1.0Mi         0  one process for all',
    'web            1/1       0.0     -     -      -      -     -       -         0  running',
  ]);
});

test('every key sorts, and names ascend where nothing tells them apart', () => {
  expect(names('name')).toEqual(['(sidecars)', 'catalog.store', 'orders.store', 'web']);
  const many = { ...answer, workloads: ['svc-10', 'svc-2', 'svc-1'].map((name) => workload(name)) };
  const counted = topLines(many, { ...shown, sort: 'name' }, styler(false)).slice(2);
  expect(counted.map((line) => line.split('.')[0])).toEqual(['svc-1', 'svc-2', 'svc-10']);
  expect(names('errors').slice(0, 2)).toEqual(['orders.store', '(sidecars)']);
  expect(names('4xx', { what: 'services' })[0]).toBe('web.default.svc.cluster.local');
  expect(names('p99').slice(0, 2)).toEqual(['orders.store', 'catalog.store']);
  expect(names('p50').slice(0, 2)).toEqual(['catalog.store', 'orders.store']);
  expect(names('cpu')).toEqual(['(sidecars)', 'catalog.store', 'orders.store', 'web']);
  expect(names('memory')[0]).toBe('orders.store');
  expect(names('restarts')[0]).toBe('catalog.store');
});

test('of one namespace, of services, and no wider than the terminal', () => {
  expect(names('rate', { namespace: 'default' })).toEqual(['web']);
  expect(names('rate', { what: 'services' })).toEqual([
    'web.default.svc.cluster.local',
    'orders.store.svc.cluster.local',
  ]);
  expect(names('rate', { what: 'services', namespace: 'store' })).toEqual(['orders.store.svc.cluster.local']);
  for (const line of topLines(answer, shown, styler(false), 30)) expect(line.length).toBeLessThanOrEqual(30);
});

test('keys choose what it is sorted by; services have no memory to sort by', () => {
  expect(pressed(shown, 'm').sort).toBe('memory');
  const services = pressed(pressed(shown, 'm'), '\t');
  expect(services).toEqual({ ...shown, what: 'services', sort: 'rate' });
  expect(pressed(services, 'm')).toEqual(services);
  expect(pressed(services, '9').sort).toBe('p99');
  expect(pressed(services, '?')).toEqual(services);
});
