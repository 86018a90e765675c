import { describe, expect, test } from 'vitest';
import type { DesiredContainer } from '../protocol.ts';
import { buildEnvironment } from './environment.ts';
import { expand } from './expand.ts';
import type { PodLayout } from './layout.ts';
import { desired } from './testing/desired.ts';

const layout: PodLayout = {
  address: '127.64.0.2',
  boundPorts: { 80: 8080 },
  applicationPorts: { 80: 20001, 9090: 20002 },
  applicationAddress: '127.0.0.1',
  proxy: {
    httpProxy: { address: '127.192.0.2', port: 15080 },
    outbound: [
      { address: '127.192.0.2', port: 5432, host: 'db.default.svc.cluster.local', servicePort: 5432 },
      { address: '127.192.0.2', port: 6380, host: 'redis.default.svc.cluster.local', servicePort: 6379 },
    ],
    inbound: [],
  },
  release: () => undefined,
};
const pod = { name: 'web-0', namespace: 'default', uid: 'u' };

function env(
  variables: Record<string, string | { field: string }>,
  more: Parameters<typeof desired>[0] = {},
): Record<string, string> {
  const container: DesiredContainer = {
    ...desired({}).containers[0]!,
    ports: [
      { name: 'http', port: 80 },
      { name: 'admin-ui', port: 9090 },
    ],
    env: Object.entries(variables).map(([name, value]) => ({ name, value })),
  };
  const tcpDestinations = [
    { host: 'db', port: 5432, service: 'db.default.svc.cluster.local' },
    { host: 'redis.default', port: 6379, service: 'redis.default.svc.cluster.local' },
  ];
  return buildEnvironment(desired({ tcpDestinations, ...more }), container, layout, pod);
}

describe('environment', () => {
  test('names the ports to listen on and the way to the proxy', () => {
    expect(env({})).toEqual({
      PORT: '20001',
      PORT_HTTP: '20001',
      PORT_ADMIN_UI: '20002',
      http_proxy: 'http://127.192.0.2:15080',
      HTTP_PROXY: 'http://127.192.0.2:15080',
      NODE_USE_ENV_PROXY: '1',
      no_proxy: '127.0.0.1,localhost',
      NO_PROXY: '127.0.0.1,localhost',
    });
  });

  test("a manifest's PORT is the container port, so it is mapped", () => {
    expect(env({ PORT: '80' }).PORT).toBe('20001');
    expect(env({ PORT: '9090' }).PORT).toBe('20002');
    expect(env({ PORT: '4000' }).PORT).toBe('20001');
  });

  test('addresses of services that are not HTTP become listeners of the sidecar, only where they stand alone', () => {
    const result = env({
      DATABASE_URL: 'postgres://u:p@db:5432/store?x=db:5432',
      CACHE: 'redis.default:6379',
      OTHER: 'otherdb:5432 my-db:5432 db:54321 http://db.example:5432',
    });
    expect(result.DATABASE_URL).toBe('postgres://u:p@127.192.0.2:5432/store?x=127.192.0.2:5432');
    expect(result.CACHE).toBe('127.192.0.2:6380');
    expect(result.OTHER).toBe('otherdb:5432 my-db:5432 db:54321 http://db.example:5432');
  });

  test('expands variables defined before, and no others', () => {
    const result = env({ A: 'x', B: '$(A)-$(C)-$(PORT)', C: 'y', D: '$$(A)' });
    expect(result).toMatchObject({ B: 'x-$(C)-20001', D: '$(A)' });
  });

  test('fields of the pod', () => {
    const result = env(
      { IP: { field: 'status.podIP' }, NAME: { field: 'metadata.name' }, V: { field: "metadata.labels['version']" } },
      { labels: { version: 'v2' } },
    );
    expect(result).toMatchObject({ IP: '127.64.0.2', NAME: 'web-0', V: 'v2' });
  });

  test('service variables: names for HTTP, listeners for the others', () => {
    const result = env(
      {},
      {
        serviceEnvironment: {
          CATALOG_SERVICE_HOST: 'catalog.default.svc.cluster.local',
          CATALOG_SERVICE_PORT: '8080',
          REDIS_SERVICE_HOST: 'redis.default.svc.cluster.local',
          REDIS_SERVICE_PORT: '6379',
          REDIS_PORT: 'tcp://redis.default.svc.cluster.local:6379',
        },
      },
    );
    expect(result).toMatchObject({
      CATALOG_SERVICE_HOST: 'catalog.default.svc.cluster.local',
      CATALOG_SERVICE_PORT: '8080',
      REDIS_SERVICE_HOST: '127.192.0.2',
      REDIS_SERVICE_PORT: '6380',
      REDIS_PORT: 'tcp://127.192.0.2:6380',
    });
  });
});

test('expansion leaves unknown names and nested parentheses alone', () => {
  const lookup = (name: string): string | undefined => ({ A: '1' })[name];
  expect(expand('$(A)$(B)$A ${A} $$$(A) $((A))', lookup)).toBe('1$(B)$A ${A} $1 $((A))');
});
