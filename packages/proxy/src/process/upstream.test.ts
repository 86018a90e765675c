import { createServer, request, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { testAuthority } from '../tls/testing/certificates.ts';
import { bootstrap, hcm, listener, routeTo, socketAddress, staticCluster, upstreamTls } from './testing/bootstraps.ts';
import { startProxy } from './testing/standalone.ts';

const ca = testAuthority();
const identity = ca.issue('server', 'URI:spiffe://cluster.local/ns/a/sa/server,DNS:localhost,DNS:*.example.com');
const servers: Server[] = [];
const ports: number[] = [];
/** What a backend does next; 200 with its name unless told. */
const behaviour = new Map<number, number>();
let slow = 0;

beforeAll(async () => {
  for (let i = 0; i < 4; i++) {
    const server = createServer((incoming, response) => {
      const answer = (): void => {
        response.writeHead(behaviour.get(i) ?? 200);
        response.end(String(i));
      };
      if (incoming.url?.includes('slow') === true) {
        slow++;
        setTimeout(answer, 300);
      } else answer();
    });
    servers.push(server);
  }
  const tlsOptions = { key: identity.keyPem, cert: identity.certificatePem };
  servers.push(
    createTlsServer(tlsOptions, (incoming, response) =>
      response.end(`tls ${String((incoming.socket as TLSSocket).servername)}`),
    ),
  );
  for (const server of servers) {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    ports.push((server.address() as AddressInfo).port);
  }
});
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

const lbEndpoint = (index: number, more: object = {}): object => ({
  endpoint: { address: socketAddress(ports[index]!) },
  ...more,
});
const assigned = (clusterName: string, ...endpoints: object[]): object => ({ clusterName, endpoints });
const labelled = (version: string): object => ({ metadata: { filterMetadata: { 'envoy.lb': { version } } } });
const TYPE = 'type.googleapis.com/envoy.extensions';

function clusters(): object[] {
  const named = (name: string, type: string, endpoints: object[], more: object = {}): object => ({
    name,
    type,
    connectTimeout: '1s',
    loadAssignment: assigned(name, ...endpoints),
    ...more,
  });
  const byName = [{ lbEndpoints: [{ endpoint: { address: socketAddress(ports[0]!, 'localhost') } }] }];
  const tlsMatch = { 'envoy.transport_socket_match': { tlsMode: 'istio' } };
  return [
    named('strict-dns', 'STRICT_DNS', byName, { dnsLookupFamily: 'V4_ONLY' }),
    named('logical-dns', 'LOGICAL_DNS', byName, { dnsLookupFamily: 'V4_ONLY' }),
    named(
      'matched',
      'STATIC',
      [{ lbEndpoints: [lbEndpoint(0), lbEndpoint(4, { metadata: { filterMetadata: tlsMatch } })] }],
      {
        transportSocketMatches: [
          {
            name: 'tls',
            match: { tlsMode: 'istio' },
            transportSocket: upstreamTls(undefined, ca.rootFile, { sni: 'matched' }),
          },
        ],
      },
    ),
    named('failover', 'STATIC', [
      {
        priority: 0,
        lbEndpoints: [lbEndpoint(0, { healthStatus: 'UNHEALTHY' }), lbEndpoint(1, { healthStatus: 'DRAINING' })],
      },
      { priority: 1, lbEndpoints: [lbEndpoint(2)] },
    ]),
    named('panic', 'STATIC', [
      { lbEndpoints: [lbEndpoint(0, { healthStatus: 'UNHEALTHY' }), lbEndpoint(1, { healthStatus: 'UNHEALTHY' })] },
    ]),
    named('no-panic', 'STATIC', [{ lbEndpoints: [lbEndpoint(0, { healthStatus: 'UNHEALTHY' })] }], {
      commonLbConfig: { healthyPanicThreshold: { value: 0 } },
    }),
    named(
      'subsets',
      'STATIC',
      [{ lbEndpoints: [lbEndpoint(0, labelled('v1')), lbEndpoint(1, labelled('v2')), lbEndpoint(2, labelled('v2'))] }],
      {
        lbSubsetConfig: {
          fallbackPolicy: 'DEFAULT_SUBSET',
          defaultSubset: { version: 'v1' },
          subsetSelectors: [{ keys: ['version'] }],
        },
      },
    ),
    named('outlier', 'STATIC', [{ lbEndpoints: [lbEndpoint(0), lbEndpoint(1)] }], {
      outlierDetection: { consecutive5xx: 3, interval: '0.2s', baseEjectionTime: '0.5s', maxEjectionPercent: 50 },
    }),
    named('breaker', 'STATIC', [{ lbEndpoints: [lbEndpoint(3)] }], {
      circuitBreakers: { thresholds: [{ maxConnections: 1, maxPendingRequests: 1, maxRequests: 5 }] },
    }),
    named(
      'localities',
      'STATIC',
      [
        { locality: { region: 'a' }, loadBalancingWeight: 9, lbEndpoints: [lbEndpoint(0)] },
        { locality: { region: 'b' }, loadBalancingWeight: 1, lbEndpoints: [lbEndpoint(1)] },
      ],
      { commonLbConfig: { localityWeightedLbConfig: {} } },
    ),
    named('auto-sni', 'STATIC', [{ lbEndpoints: [lbEndpoint(4)] }], {
      transportSocket: upstreamTls(undefined, ca.rootFile),
      typedExtensionProtocolOptions: {
        [`envoy.extensions.upstreams.http.v3.HttpProtocolOptions`]: {
          '@type': `${TYPE}.upstreams.http.v3.HttpProtocolOptions`,
          upstreamHttpProtocolOptions: { autoSni: true, autoSanValidation: true },
          explicitHttpConfig: { httpProtocolOptions: {} },
        },
      },
    }),
    {
      name: 'forward',
      connectTimeout: '1s',
      lbPolicy: 'CLUSTER_PROVIDED',
      clusterType: {
        name: 'envoy.clusters.dynamic_forward_proxy',
        typedConfig: { '@type': `${TYPE}.clusters.dynamic_forward_proxy.v3.ClusterConfig`, dnsCacheConfig: DNS_CACHE },
      },
    },
    staticCluster('health-checked', [ports[0]!, ports[1]!], {
      healthChecks: [
        {
          timeout: '0.5s',
          interval: '0.1s',
          noTrafficInterval: '0.1s',
          unhealthyThreshold: 2,
          healthyThreshold: 1,
          httpHealthCheck: { path: '/health' },
        },
      ],
    }),
  ];
}
const DNS_CACHE = { name: 'cache', dnsLookupFamily: 'V4_ONLY' };

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Record<string, unknown>;
}

describe.each(['mizzen', 'envoy'] as const)('clusters of %s', (engine) => {
  let port = 0;
  let proxy: { stop(): Promise<void> };

  beforeAll(async () => {
    behaviour.clear();
    port = await freePort();
    const all = clusters();
    const routes = all.map((cluster) => {
      const { name } = cluster as { name: string };
      return routeTo(name, `/${name}/`);
    });
    const v2 = {
      match: { prefix: '/subset-v2/' },
      route: { cluster: 'subsets', metadataMatch: { filterMetadata: { 'envoy.lb': { version: 'v2' } } } },
    };
    const filters = [
      {
        name: 'envoy.filters.http.dynamic_forward_proxy',
        typedConfig: {
          '@type': `${TYPE}.filters.http.dynamic_forward_proxy.v3.FilterConfig`,
          dnsCacheConfig: DNS_CACHE,
        },
      },
      { name: 'envoy.filters.http.router', typedConfig: { '@type': `${TYPE}.filters.http.router.v3.Router` } },
    ];
    const start = engine === 'mizzen' ? startProxy : startEnvoy;
    proxy = await start(
      bootstrap([listener(port, [{ filters: [hcm([...routes, v2], { httpFilters: filters })] }])], all),
    );
  }, 30_000);
  afterAll(() => proxy.stop());

  function ask(path: string, host = 'app'): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = request({ port, host: '127.0.0.1', path, headers: { host }, agent: false }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode!, body, headers: response.headers }));
      });
      sent.on('error', reject);
      sent.end();
    });
  }
  async function tally(path: string, count: number): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (let i = 0; i < count; i++) {
      const { status, body } = await ask(path);
      const key = status === 200 ? body : String(status);
      counts[key] = (counts[key] ?? 0) + 1;
    }
    return counts;
  }

  /** Waits until both hosts answer. */
  async function both(path: string): Promise<void> {
    while (Object.keys(await tally(path, 4)).length < 2) await new Promise((done) => setTimeout(done, 50));
  }

  test.each(['strict-dns', 'logical-dns'])('%s', async (name) => {
    expect((await ask(`/${name}/`)).body).toBe('0');
  });

  test('the transport socket follows the endpoint’s metadata', async () => {
    expect(await tally('/matched/', 4)).toEqual({ '0': 2, 'tls matched': 2 });
  });

  test('what is unhealthy is passed over, and used when nothing else is left', async () => {
    expect(await tally('/failover/', 5)).toEqual({ '2': 5 });
    expect(await tally('/panic/', 4)).toEqual({ '0': 2, '1': 2 });
    expect(await ask('/no-panic/')).toMatchObject({ status: 503, body: 'no healthy upstream' });
  });

  test('subsets by metadata', async () => {
    expect(await tally('/subset-v2/', 4)).toEqual({ '1': 2, '2': 2 });
    expect(await tally('/subsets/', 3)).toEqual({ '0': 3 });
  });

  test('localities get their weight', async () => {
    const counts = await tally('/localities/', 40);
    expect(counts['0']).toBeGreaterThanOrEqual(35);
    expect(counts['1']).toBeGreaterThanOrEqual(3);
  });

  test('a host that keeps failing is taken out and let back in', async () => {
    behaviour.set(0, 500);
    // Some of these find out.
    await tally('/outlier/', 8);
    expect(await tally('/outlier/', 6)).toEqual({ '1': 6 });
    behaviour.delete(0);
    await both('/outlier/');
  });

  test('what is beyond the circuit breaker is turned away', async () => {
    slow = 0;
    const answers = await Promise.all([1, 2, 3, 4].map(() => ask('/breaker/slow')));
    // One on the connection; another may wait for it, if that is there by then.
    const served = answers.filter(({ status }) => status === 200).length;
    expect([1, 2]).toContain(served);
    expect(slow).toBe(served);
    const refused = answers.find(({ status }) => status === 503);
    expect(refused?.body).toBe('upstream connect error or disconnect/reset before headers. reset reason: overflow');
    expect(refused?.headers['x-envoy-overloaded']).toBe('true');
  });

  test('the server name is the request’s, and the certificate must have it', async () => {
    expect(await ask('/auto-sni/', 'a.example.com')).toMatchObject({ status: 200, body: 'tls a.example.com' });
    expect(await ask('/auto-sni/', 'localhost:80')).toMatchObject({ status: 200, body: 'tls localhost' });
    expect((await ask('/auto-sni/', 'other.org')).status).toBe(503);
  });

  test('a dynamic forward proxy goes where the request says', async () => {
    expect(await ask('/forward/', `127.0.0.1:${ports[1]}`)).toMatchObject({ status: 200, body: '1' });
    expect(await ask('/forward/', `localhost:${ports[2]}`)).toMatchObject({ status: 200, body: '2' });
    const unknown = { status: 503, body: 'DNS resolution failure' };
    expect(await ask('/forward/', 'no-such-host.invalid')).toMatchObject(unknown);
  });

  test('a host that fails its health check is left out until it passes', async () => {
    behaviour.set(1, 503);
    // It is found out within a few checks; until then it may still be asked.
    while ((await tally('/health-checked/', 6))['0'] !== 6) await new Promise((done) => setTimeout(done, 50));
    behaviour.delete(1);
    await both('/health-checked/');
  });
});
