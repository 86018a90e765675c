import { expect, test } from 'vitest';
import { activeOf, countsOf } from './counts.ts';

test('requests, and connections without HTTP, by direction', () => {
  const stats = new Map([
    ['http.inbound_127.64.0.2_8080;.downstream_rq_total', 3],
    ['http.inbound_127.64.0.2_8080;.downstream_cx_total', 2],
    ['http.outbound_http_proxy;.downstream_rq_total', 5],
    ['http.outbound_mizzen_connect;.downstream_rq_total', 6],
    ['cluster.mizzen_connect;.upstream_rq_total', 4],
    ['http.secure;.downstream_rq_total', 7],
    ['http.admin.downstream_rq_total', 11],
    ['tcp.inbound|5432||.downstream_cx_total', 13],
    ['tcp.outbound|5432||db.default.svc.cluster.local.downstream_cx_total', 17],
  ]);
  expect(countsOf(stats)).toEqual({ inbound: 16, outbound: 31 });
});

test('what is under way does not include the question itself', () => {
  const stats = new Map([
    ['http.inbound_127.64.0.2_8080;.downstream_rq_active', 1],
    ['http.inbound_127.64.0.2_8080;.downstream_cx_active', 4],
    ['http.admin.downstream_rq_active', 1],
    ['tcp.inbound|5432||.downstream_cx_active', 2],
  ]);
  expect(activeOf(stats)).toBe(3);
});
