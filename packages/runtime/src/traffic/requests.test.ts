import { expect, test } from 'vitest';
import type { Service } from '@mizzen/model';
import type { RequestTraffic } from '@mizzen/proxy/process/protocol.ts';
import { POINTS, RequestHistory, STEP } from './requests.ts';
import { refusedBy, serviceTraffic, trafficSummary, workloadTraffic } from './traffic-answer.ts';

const ORDERS = 'orders.shop.svc.cluster.local';
const request = (more: Partial<RequestTraffic> = {}): RequestTraffic => ({
  reporter: 'source',
  source: 'front',
  sourceNamespace: 'shop',
  service: ORDERS,
  destination: 'orders-v1',
  destinationNamespace: 'shop',
  version: 'v1',
  requests: 10,
  errors: 0,
  clientErrors: 0,
  times: [[5, 10]],
  ...more,
});
/** When everything of the step that begins at `at` has been told. */
const after = (at: number): number => at + STEP + 1000;

test('a service by version, with requests from outside the mesh counted where they arrive', () => {
  const history = new RequestHistory();
  const at = 1000 * STEP;
  const v2 = request({
    version: 'v2',
    destination: 'orders-v2',
    errors: 5,
    clientErrors: 1,
    times: [
      [5, 9],
      [900, 1],
    ],
  });
  history.add([request(), v2, request({ reporter: 'destination' })], at);
  history.add([request({ reporter: 'destination', source: 'unknown', requests: 2, times: [[7, 2]] })], at + STEP);
  const { step, inbound, outbound } = serviceTraffic(history, after(at + STEP), ORDERS);
  expect([step, outbound]).toEqual([5, []]);
  expect(inbound.map(({ name, total }) => [name, total.requests, total.errors, total.p50, total.p99])).toEqual([
    ['v1', 12, 0, 5, 7],
    ['v2', 10, 5, 5, 900],
  ]);
  expect(inbound[0]?.rate.slice(-3)).toEqual([0, 2, 0.4]);
  expect(inbound[1]?.errorRate.slice(-3)).toEqual([0, 1, 0]);
  expect(inbound[1]?.clientErrorRate.slice(-3)).toEqual([0, 0.2, 0]);
  expect(inbound[1]?.total.clientErrors).toBe(1);
  expect(inbound[1]?.p90.slice(-3)).toEqual([null, 5, null]);
  expect(trafficSummary(history, after(at + STEP)).services).toMatchObject([{ service: ORDERS, requests: 22 }]);
  expect(trafficSummary(history, after(at + STEP)).seconds).toBe(300);
  expect(trafficSummary(history, at + 60_000, at).seconds).toBe(60);
  expect(trafficSummary(history, at + 1, at).seconds).toBe(5);
});

test('a workload by who sends to it, and by what it sends to', () => {
  const history = new RequestHistory();
  const at = 1000 * STEP;
  const inbound = request({ reporter: 'destination', destination: 'front', source: 'gateway', service: 'front' });
  history.add([request(), inbound, { ...inbound, source: 'unknown' }], at);
  const front = { namespace: 'shop', name: 'front' };
  const traffic = workloadTraffic(history, after(at), front);
  expect(traffic.inbound.map(({ name }) => name)).toEqual(['gateway', 'outside the mesh']);
  expect(traffic.outbound.map(({ name, total }) => [name, total.requests])).toEqual([['orders.shop v1', 10]]);
  // Orders' own proxy says nothing.
  const orders = workloadTraffic(history, after(at), { namespace: 'shop', name: 'orders-v1' });
  expect(orders.inbound.map(({ name }) => name)).toEqual(['front']);
});

test('five minutes are kept, and no more', () => {
  const history = new RequestHistory();
  const begin = 1000 * STEP;
  for (let i = 0; i < 3 * POINTS; i++) history.add([request()], begin + i * STEP);
  const newest = begin + (3 * POINTS - 1) * STEP;
  const rate = serviceTraffic(history, after(newest), ORDERS).inbound[0]?.rate;
  expect(rate).toEqual(Array.from({ length: POINTS }, () => 2));
  expect(serviceTraffic(history, after(newest) + (POINTS + 5) * STEP, ORDERS).inbound).toEqual([]);
});

test('what a gateway refused by itself went to nobody, unless it is outside the mesh that nobody is known', () => {
  const service = (more: object): Service => ({ registry: 'Kubernetes', meshExternal: false, ...more }) as Service;
  const services = new Map([
    [ORDERS, service({})],
    ['outside.example', service({ registry: 'External', meshExternal: true })],
  ]);
  const of = (more: Partial<RequestTraffic>): string | undefined =>
    refusedBy(request({ destination: 'unknown', ...more }), services);
  expect(of({})).toBe('workload/shop/front');
  expect(of({ service: 'unknown' })).toBe('workload/shop/front');
  expect(of({ destination: 'orders-v1' })).toBeUndefined();
  expect(of({ reporter: 'destination' })).toBeUndefined();
  expect(of({ service: 'outside.example' })).toBeUndefined();
  expect(of({ service: 'PassthroughCluster' })).toBeUndefined();
});
