import { mkdtempSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootstrap, hcm, listener, routeTo, staticCluster } from '../process/testing/bootstraps.ts';
import { startProxy } from '../process/testing/standalone.ts';
import { testAuthority } from '../tls/testing/certificates.ts';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function ask(port: number, path: string, method = 'GET', host = '127.0.0.1'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, agent: false, headers: { host } }, (response) => {
      let body = '';
      response.on('data', (data: Buffer) => (body += data.toString()));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** Its serial number begins with a 0: 0ca6ebf2. */
const ROOT = `-----BEGIN CERTIFICATE-----
MIIBfTCCASSgAwIBAgIEDKbr8jAKBggqhkjOPQQDAjAQMQ4wDAYDVQQDDAVyb290
czAgFw0yNjExMjkxNjExMjNaGA8yMTI2MTEwNTE2MTEyM1owEDEOMAwGA1UEAwwF
cm9vdHMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASvj7nGbM9K4grbYykYZZrv
njybmeRT4hzTu4pCmeYm8/BcK4iiJHXvhEoK5uS5DiG8b3vjSV9LW5gpMEcUOW5I
o2owaDAdBgNVHQ4EFgQUGDcd+aQmir0eEYRa91yXWuteLk0wHwYDVR0jBBgwFoAU
GDcd+aQmir0eEYRa91yXWuteLk0wDwYDVR0TAQH/BAUwAwEB/zAVBgNVHREEDjAM
ggpyb290cy50ZXN0MAoGCCqGSM49BAMCA0cAMEQCIHawukaX+S6nJppzFyl1ed6e
6NbZGX40WnZbvLkRCyDHAiAp20U8zruBkVasiwEmScWFqmZxO9KY9Uqs0MtyhYcc
Lw==
-----END CERTIFICATE-----
`;

/** What protobuf's JSON says otherwise than it was given. */
const ODD_ROUTE = {
  name: '',
  match: { prefix: '/odd', headers: [{ name: 'a', rangeMatch: { start: 0, end: '5' }, invertMatch: false }] },
  route: {
    cluster: 'app',
    priority: 1,
    prefixRewrite: '',
    maxGrpcTimeout: '1.50s',
    timeout: '0s',
    retryPolicy: { numRetries: 0 },
  },
  requestHeadersToAdd: [{ header: { key: 'k', value: '' }, appendAction: 0 }],
  typedPerFilterConfig: {},
};
const ODD_LISTENER = { trafficDirection: 0, drainType: 'DEFAULT', freebind: false, socketOptions: [] };

interface Side {
  readonly admin: number;
  readonly traffic: number;
}

const closing: (() => Promise<unknown>)[] = [];
let ours: Side;
let theirs: Side;

beforeAll(async () => {
  const backend = await freePort();
  const roots = join(mkdtempSync(join(tmpdir(), 'mizzen-admin-')), 'roots.pem');
  writeFileSync(roots, ROOT);
  // Nobody is shown the key.
  const { certificatePem, keyPem } = testAuthority().issue('far', 'DNS:far.test');
  const config = async (admin: number, traffic: number): Promise<object> => ({
    ...bootstrap(
      [
        listener(
          traffic,
          [{ filters: [hcm([routeTo('app'), ODD_ROUTE], { serverName: '', codecType: 0 })] }],
          ODD_LISTENER,
        ),
      ],
      [
        staticCluster('app', [backend]),
        staticCluster('failing', [backend], {
          type: 0,
          respectDnsTtl: false,
          healthChecks: [
            { timeout: '20s', interval: '60.50s', unhealthyThreshold: 1, healthyThreshold: 1, tcpHealthCheck: {} },
          ],
        }),
        staticCluster('far', [backend], {
          connectTimeout: '0.2500s',
          outlierDetection: {},
          circuitBreakers: { thresholds: [{ maxRequests: 0, trackRemaining: false, priority: 'DEFAULT' }] },
          metadata: { filterMetadata: { a: { none: null, empty: '', zero: 0, no: false, list: [] } } },
          transportSocket: {
            name: 'tls',
            typedConfig: {
              '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
              commonTlsContext: {
                validationContext: { trustedCa: { filename: roots } },
                tlsCertificates: [
                  { certificateChain: { inlineString: certificatePem }, privateKey: { inlineString: keyPem } },
                ],
              },
            },
          },
        }),
      ],
    ),
    admin: { address: { socketAddress: { address: '127.0.0.1', portValue: admin } } },
    node: {
      id: 'node-1',
      cluster: 'test',
      metadata: { some_key: { inner_key: 1 } },
      locality: { region: 'r', subZone: 's' },
    },
  });
  ours = { admin: await freePort(), traffic: await freePort() };
  const proxy = await startProxy(await config(ours.admin, ours.traffic));
  closing.push(() => proxy.stop());
  const traffic = await freePort();
  const envoy = await startEnvoy((await config(0, traffic)) as Parameters<typeof startEnvoy>[0]);
  closing.push(() => envoy.stop());
  theirs = { admin: envoy.adminPort, traffic };
  for (const side of [ours, theirs]) {
    // Nobody listens there: 503.
    for (let i = 0; i < 3; i++) expect((await ask(side.traffic, '/')).status).toBe(503);
  }
}, 60_000);
afterAll(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** What differs by nature: ports, times, and what each says of itself. */
function settled({ admin, traffic }: Side, { status, type, body }: Answer): Answer {
  const text = body
    .replaceAll(String(traffic), '11111')
    .replaceAll(String(admin), '22222')
    .replaceAll(/"last_updated": "[^"]*"/g, '"last_updated": "TIME"');
  // Envoy's clusters come in no order.
  const lines = /^(app|far|failing)::/.test(text) ? text.split('\n').sort().join('\n') : text;
  return { status, type, body: lines };
}

/** JSON with lists of named things in the order of their names. */
function ordered(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (!Array.isArray(value))
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, ordered(inner)]));
  const name = (each: unknown): string => {
    const { name: own, cluster, endpoint_config: endpoints } = each as Record<string, { name?: string } & string>;
    return own ?? cluster?.name ?? JSON.stringify(endpoints ?? '');
  };
  return value.map(ordered).sort((a, b) => (name(a) < name(b) ? -1 : 1));
}

const same = async (path: string, method = 'GET'): Promise<void> => {
  const [own, envoy] = [await ask(ours.admin, path, method), await ask(theirs.admin, path, method)];
  expect(settled(ours, own), path).toEqual(settled(theirs, envoy));
};

test('texts, statuses and types are those of Envoy', async () => {
  for (const path of [
    '/ready',
    '/clusters',
    '/clusters?filter=^far$',
    '/listeners',
    '/certs',
    '/config_dump?resource=bootstrap',
    '/config_dump?resource=nothing',
    '/config_dump?resource=dynamic_listeners',
    '/config_dump?resource=dynamic_warming_clusters',
    '/config_dump?resource=static_endpoint_configs',
    '/config_dump?resource=dynamic_endpoint_configs&include_eds',
    '/config_dump?resource=static_secrets',
    '/config_dump?mask=clusters.static_clusters',
    '/config_dump?mask=nothing',
    '/config_dump?mask=bootstrap.nothing',
    '/config_dump?name_regex=((',
    '/stats?filter=((',
    '/stats?format=nothing',
    '/stats?type=Nothing',
    '/logging',
    '/quitquitquit',
    '/healthcheck/fail',
    '/contention',
    '/reopen_logs',
    '/cpuprofiler',
    '/heapprofiler',
    '/allocprofiler',
    '/stats/recentlookups/enable',
    '/reset_counters',
    '/drain_listeners',
    '/stats?filter=^cluster.app.(membership_|upstream_rq_(5xx|total|pending_total)|upstream_cx_(total|active|connect_fail))',
    '/stats?filter=^http.test.downstream_(cx_total|rq_5xx|rq_total|rq_completed|rq_http1_total)$',
    '/stats?filter=^(cluster_manager|listener_manager)\\.(active_clusters|cluster_added|listener_added|total_listeners_active|listener_create_success)$',
    '/stats?filter=^server\\.(live|state|concurrency|hot_restart_epoch)$',
    '/stats?format=json&filter=^cluster.app.membership',
    '/stats?filter=^cluster.far.circuit_breakers.*(cx|rq|pending|retry)_open$',
    '/stats/prometheus?filter=^cluster.app.(membership_|upstream_rq_5xx|upstream_rq_total)',
    '/stats?format=prometheus&filter=^server.live$',
  ]) {
    await same(path);
  }
});

test('JSON is that of Envoy, whatever the order of its fields', async () => {
  for (const path of [
    '/clusters?format=json',
    '/listeners?format=json',
    '/config_dump?resource=static_clusters',
    '/config_dump?resource=static_clusters&mask=cluster.name',
    '/config_dump?resource=static_listeners',
    '/config_dump?mask=static_clusters',
    '/config_dump?mask=static_clusters,version_info',
    '/config_dump?mask=bootstrap.admin,bootstrap.static_resources',
    '/config_dump?mask=static_listeners&name_regex=far',
    '/config_dump?resource=static_route_configs',
    '/config_dump?name_regex=far&resource=static_clusters',
    '/config_dump?include_eds&resource=static_endpoint_configs',
    '/runtime',
  ]) {
    const [own, envoy] = [await ask(ours.admin, path), await ask(theirs.admin, path)];
    expect([own.status, own.type], path).toEqual([envoy.status, envoy.type]);
    const parse = (side: Side, answer: Answer): unknown => ordered(JSON.parse(settled(side, answer).body));
    expect(parse(ours, own), path).toEqual(parse(theirs, envoy));
  }
  const parts = async ({ admin }: Side): Promise<string[]> => {
    const { configs } = JSON.parse((await ask(admin, '/config_dump?include_eds')).body) as { configs: object[] };
    return configs.map((part) => (part as { '@type': string })['@type']);
  };
  expect(await parts(ours)).toEqual(await parts(theirs));
});

test('every path of Envoy is there, with its method', async () => {
  const paths = async ({ admin }: Side): Promise<string[]> =>
    [...(await ask(admin, '/help')).body.matchAll(/^ {2}(\/\S*(?: \(POST\))?):/gm)].map(([, path]) => path!);
  // Modifiable runtime comes by its own tests.
  const theirPaths = (await paths(theirs)).filter((path) => !path.startsWith('/runtime_modify'));
  expect(theirPaths).toContain('/reopen_logs (POST)');
  expect(await paths(ours)).toEqual(expect.arrayContaining(theirPaths));
});

test('levels are set as Envoy sets them', async () => {
  for (const query of [
    '',
    '?level=',
    '?level=info',
    '?upstream=debug',
    '?redis=error',
    '?paths=',
    '?paths=upstream:warning,wasm:trace',
    '?paths=upstream:info,nope:debug',
    '?paths=upstream:info,main',
    '?paths=upstream:loud',
    '?upstream=error&main=info',
    '?group=upstream:info',
  ])
    await same(`/logging${query}`, 'POST');
  expect((await ask(ours.admin, '/logging', 'POST')).body).toContain('  wasm: trace\n');
});

test('the command line is told whole', async () => {
  const options = async ({ admin }: Side): Promise<Record<string, unknown>> =>
    (JSON.parse((await ask(admin, '/server_info')).body) as { command_line_options: Record<string, unknown> })
      .command_line_options;
  expect(Object.keys(await options(ours)).sort()).toEqual(Object.keys(await options(theirs)).sort());
});

test('what the server says of itself is what Envoy says', async () => {
  const info = async ({ admin }: Side): Promise<object> => {
    const {
      node,
      command_line_options: _,
      version: __,
      ...more
    } = JSON.parse((await ask(admin, '/server_info')).body) as {
      node: object;
      command_line_options: object;
      version: string;
    };
    // Of Envoy alone: what it is, and what it is built of.
    const own = { user_agent_name: '', user_agent_build_version: {}, extensions: [] };
    return {
      ...more,
      node: { ...node, ...own },
      uptime_current_epoch: '',
      uptime_all_epochs: '',
      hot_restart_version: '',
    };
  };
  expect(await info(ours)).toEqual(await info(theirs));
  const features = async ({ admin }: Side): Promise<string> =>
    (await ask(admin, '/config_dump?mask=bootstrap.node.client_features')).body.replaceAll(
      /"last_updated": "[^"]*"/g,
      '',
    );
  expect(await features(ours)).toEqual(await features(theirs));
});

test('a mask that names nothing of a resource is refused', async () => {
  for (const { admin } of [ours, theirs]) {
    const { status, body } = await ask(admin, '/config_dump?resource=static_clusters&mask=foo');
    expect(status).toBe(400);
    expect(body).toMatch(/^FieldMask [^]*paths: "foo"\s+could not be successfully used\.$/);
  }
});

test('what changes something does what it does in Envoy, and last of all ends', async () => {
  await same('/reopen_logs', 'POST');
  await same('/stats/recentlookups/clear', 'POST');
  await same('/heapprofiler', 'POST');
  await same('/reset_counters', 'POST');
  await same('/stats?filter=^http.test.downstream_(cx_total|rq_5xx|rq_total)$');
  await same('/healthcheck/fail', 'POST');
  await same('/ready');
  await same('/healthcheck/ok', 'POST');
  await same('/ready');
  for (const path of ['/logging?level=nothing', '/logging?nobody=info']) {
    const [own, envoy] = [await ask(ours.admin, path, 'POST'), await ask(theirs.admin, path, 'POST')];
    const line = ({ body }: Answer): string => body.split('\n')[0]!;
    expect([own.status, line(own)]).toEqual([envoy.status, line(envoy)]);
  }
  expect((await ask(ours.admin, '/logging?main=debug', 'POST')).body).toContain('  main: debug\n');
  await same('/drain_listeners', 'POST');
  for (const { traffic } of [ours, theirs])
    await expect.poll(() => ask(traffic, '/').catch(() => 'refused')).toBe('refused');
  const nowhere = [await ask(ours.admin, '/nothing'), await ask(theirs.admin, '/nothing')] as const;
  expect(nowhere[0].status).toBe(nowhere[1].status);
  expect(nowhere.map(({ body }) => body.split('\n')[0])).toEqual(Array(2).fill('invalid path. admin commands are:'));
  await same('/quitquitquit', 'POST');
  await expect.poll(() => ask(ours.admin, '/ready').catch(() => 'refused')).toBe('refused');
});
