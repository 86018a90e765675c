import { TypeUrl } from '@mizzen/xds';
import { expect, test } from 'vitest';
import { messageOf, respell } from './spelling.ts';

const CLUSTER = messageOf(TypeUrl.cluster);
const LISTENER = messageOf(TypeUrl.listener);
const TCP = 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy';

test('what Envoy reads as well becomes what the API says', () => {
  const written = {
    name: 'c',
    type: 'strict_dns',
    lb_policy: '1',
    connect_timeout: { seconds: 5 },
    dns_refresh_rate: { seconds: '1', nanos: 5_000_000 },
    respect_dns_ttl: 'True',
    circuit_breakers: { thresholds: { max_connections: { value: '0x10' }, track_remaining: 'false' } },
    health_checks: { expected: 1, http_health_check: { retriable_statuses: [[{ start: '1e2' }]] } },
    max_requests_per_connection: {},
  };
  expect(respell(CLUSTER, written)).toEqual({
    name: 'c',
    type: 'STRICT_DNS',
    lb_policy: 'LEAST_REQUEST',
    connect_timeout: '5s',
    dns_refresh_rate: '1.005000000s',
    respect_dns_ttl: true,
    circuit_breakers: { thresholds: [{ max_connections: 16, track_remaining: false }] },
    health_checks: [{ expected: 1, http_health_check: { retriable_statuses: [{ start: 100 }] } }],
    max_requests_per_connection: 0,
  });
});

test('extensions are read by the type that they name', () => {
  const filter = { '@type': TCP, idle_timeout: { seconds: 5 } };
  const struct = {
    '@type': 'type.googleapis.com/xds.type.v3.TypedStruct',
    type_url: TCP,
    value: { idle_timeout: { seconds: 5 } },
  };
  expect(
    respell(LISTENER, { filter_chains: { filters: [{ typed_config: filter }, { typed_config: struct }] } }),
  ).toEqual({
    filter_chains: [
      {
        filters: [
          { typed_config: { ...filter, idle_timeout: '5s' } },
          { typed_config: { ...struct, value: { idle_timeout: '5s' } } },
        ],
      },
    ],
  });
});

test('what is wrong, or right already, stays as it is', () => {
  const written = {
    name: 5,
    type: 'strict-dns',
    connectTimeout: { sec: 5 },
    dnsRefreshRate: '5s',
    respectDnsTtl: 'yes',
    maxRequestsPerConnection: ' 1',
    perConnectionBufferLimitBytes: { valu: 1 },
    altStatName: null,
    nope: '1',
    loadAssignment: { endpoints: [] },
  };
  expect(respell(CLUSTER, written)).toBe(written);
});
