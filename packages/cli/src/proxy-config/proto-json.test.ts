import { expect, test } from 'vitest';
import { goJson } from './go-text.ts';
import { canonicalMessage } from './proto-json.ts';
import { readMessage } from './read-dump.ts';

const print = (type: string, value: object): string =>
  goJson(canonicalMessage(type, readMessage(type, value as Record<string, unknown>)), false);

test('fields stand as they are declared, defaults without presence are left out, maps are sorted', () => {
  const cluster = {
    type: 0,
    connect_timeout: '0.25s',
    alt_stat_name: '',
    name: 'web',
    metadata: { filter_metadata: { b: { z: 1, a: null }, a: {} } },
    circuit_breakers: { thresholds: [{ max_retries: 0, priority: 'DEFAULT', track_remaining: false }] },
    lb_policy: 'ROUND_ROBIN',
    health_checks: [],
    cleanup_interval: '5.000000s',
  };
  expect(print('envoy.config.cluster.v3.Cluster', cluster)).toBe(
    goJson(
      {
        name: 'web',
        type: 'STATIC',
        connectTimeout: '0.250s',
        circuitBreakers: { thresholds: [{ maxRetries: 0 }] },
        cleanupInterval: '5s',
        metadata: { filterMetadata: { a: {}, b: { a: null, z: 1 } } },
      },
      false,
    ),
  );
});

test('an Any begins with its type and holds the message by the same rules', () => {
  const listener = {
    filter_chains: [
      {
        filters: [
          {
            typed_config: {
              stat_prefix: 's',
              '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
              cluster: 'c',
              max_connect_attempts: 2,
            },
            name: 'tcp',
          },
        ],
      },
    ],
  };
  expect(print('envoy.config.listener.v3.Listener', listener)).toBe(
    goJson(
      {
        filterChains: [
          {
            filters: [
              {
                name: 'tcp',
                typedConfig: {
                  '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
                  statPrefix: 's',
                  cluster: 'c',
                  maxConnectAttempts: 2,
                },
              },
            ],
          },
        ],
      },
      false,
    ),
  );
});

test('numbers of 64 bits are texts; what nobody knows stays as it is', () => {
  expect(print('envoy.admin.v3.SimpleMetric', { value: 5, name: 'rq_total', type: 1 })).toBe(
    goJson({ type: 'GAUGE', value: '5', name: 'rq_total' }, false),
  );
  const unknown = { '@type': 'type.googleapis.com/example.Thing', some_field: { b: 1, a: [] } };
  expect(canonicalMessage('example.Thing', readMessage('example.Thing', unknown))).toEqual(unknown);
});
