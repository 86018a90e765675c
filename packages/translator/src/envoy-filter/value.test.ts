import { describe, expect, it } from 'vitest';
import { fit } from './value.ts';

const CLUSTER = 'envoy.config.cluster.v3.Cluster';
const LISTENER = 'envoy.config.listener.v3.Listener';
const FILTER = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter';

const misfits = (value: unknown, type: string): string[] =>
  fit(value, type).misfits.map(({ kind, path, message, help }) =>
    [`${kind} ${path.join('.')}: ${message}`, help].filter((part) => part !== undefined).join(' | '),
  );

describe("a patch's value as a message", () => {
  it('is read in snake_case and camelCase, and comes out as proto3 JSON prints it', () => {
    const value = {
      connect_timeout: '0.25s',
      lbPolicy: 1,
      per_connection_buffer_limit_bytes: '5',
      circuit_breakers: { thresholds: [{ max_requests: 7 }] },
      metadata: { filter_metadata: { 'my.key': { snake_stays: 1 } } },
      transport_socket: null,
      filters: [],
    };
    expect(fit(value, CLUSTER)).toEqual({
      misfits: [
        {
          kind: 'default',
          path: ['filters'],
          message: '`filters` is at its default, which is the same as leaving it out',
        },
      ],
      value: {
        connectTimeout: '0.250s',
        lbPolicy: 'LEAST_REQUEST',
        perConnectionBufferLimitBytes: 5,
        circuitBreakers: { thresholds: [{ maxRequests: 7 }] },
        metadata: { filterMetadata: { 'my.key': { snake_stays: 1 } } },
      },
    });
  });

  it('keeps 64 bits as text, and wrapped values at their default', () => {
    const { value } = fit({ bind_to_port: false, socket_options: [{ level: 6 }] }, LISTENER);
    expect(value).toEqual({ bindToPort: false, socketOptions: [{ level: '6' }] });
  });

  it('loses fields that the message does not have', () => {
    expect(misfits({ name: 'a', conect_timeout: '1s' }, CLUSTER)).toEqual([
      "unknown conect_timeout: `conect_timeout` is no field of Envoy's `Cluster` | it is left out; did you mean `connectTimeout`?",
    ]);
    expect(fit({ name: 'a', conect_timeout: '1s' }, CLUSTER).value).toEqual({ name: 'a' });
  });

  it.each([
    [{ name: 1 }, 'wrong name: `1` is not a text'],
    [{ connect_timeout: '1 second' }, 'wrong connect_timeout: `1 second` is not a duration in seconds, as `1.5s`'],
    [
      { lb_policy: 'ROUNDROBIN' },
      'wrong lb_policy: `ROUNDROBIN` is no value of `LbPolicy` | did you mean `ROUND_ROBIN`?',
    ],
    [
      { per_connection_buffer_limit_bytes: -1 },
      'wrong per_connection_buffer_limit_bytes: `-1` is not a whole number from 0 to 4294967295',
    ],
    [{ circuit_breakers: [] }, 'wrong circuit_breakers: a list is no `CircuitBreakers`'],
    [{ filters: {} }, 'wrong filters: an object is no list'],
    [{ type: 'EDS', cluster_type: {} }, 'wrong cluster_type: only one of `type` and `clusterType` can be set'],
    [{ connect_timeout: '1s', connectTimeout: '2s' }, 'wrong connectTimeout: `connectTimeout` is given twice'],
    [
      { transport_socket: { name: 'a', typed_config: { sni: 'b' } } },
      'wrong transport_socket.typed_config: its type is not given | add `@type: type.googleapis.com/…`',
    ],
  ])('is refused as a whole where a part has the wrong form: %j', (value, misfit) => {
    expect(misfits(value, CLUSTER)).toEqual([misfit]);
    expect(fit(value, CLUSTER).value).toBeUndefined();
  });

  it('is looked into where its type is told by an `@type`', () => {
    const buffer = { '@type': 'type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer', max_bytes: 5 };
    expect(misfits({ name: 'b', typed_config: buffer }, FILTER)).toEqual([
      expect.stringContaining("unknown typed_config.max_bytes: `max_bytes` is no field of Envoy's `Buffer`"),
    ]);
  });
});
