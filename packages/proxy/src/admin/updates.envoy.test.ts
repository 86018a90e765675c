/** What the admin endpoint tells of resources that come, wait, are refused and go, beside real Envoy. */
import { freePort, startEnvoy } from '@mizzen/testkit';
import { TypeUrl } from '@mizzen/xds';
import { afterAll, afterEach, expect, test } from 'vitest';
import { fetchText, HTTP2, TYPE } from '../filter/testing/beside.ts';
import { hcm, listener, staticCluster } from '../process/testing/bootstraps.ts';
import { startWithAdmin } from '../process/testing/standalone.ts';
import type { DiscoveryRequest } from '../xds/remote/testing/discovery-server.ts';
import { serveXds, type Served, type XdsServer } from '../xds/remote/testing/xds-server.ts';

const closing: (() => unknown)[] = [];
const close = async (): Promise<void> => {
  for (const each of closing.splice(0).toReversed()) await each();
};
afterEach(close);
afterAll(close);

type Engine = 'Envoy' | 'Mizzen';

async function start(engine: Engine, config: object): Promise<number> {
  if (engine === 'Envoy') {
    const envoy = await startEnvoy(config);
    closing.push(() => envoy.stop());
    return envoy.adminPort;
  }
  const proxy = await startWithAdmin(config);
  closing.push(() => proxy.stop());
  return proxy.admin;
}

const grpcTo = (apiType: string, more: object = {}): object => ({
  apiType,
  transportApiVersion: 'V3',
  grpcServices: [{ envoyGrpc: { clusterName: 'xds' } }],
  ...more,
});
const router = { name: 'router', typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.router.v3.Router` } };

/** Sections of a dump without what differs by nature: times, and keys of objects in Envoy's order. */
async function dump(admin: number, ports: Readonly<Record<string, number>>): Promise<Record<string, unknown>> {
  let text = await fetchText(admin, '/config_dump');
  for (const [name, port] of Object.entries(ports)) text = text.replaceAll(String(port), JSON.stringify(name));
  const { configs } = JSON.parse(text.replaceAll(/"(last_update\w*)": "[^"]*"/g, '"$1": "TIME"')) as {
    configs: { '@type': string }[];
  };
  return Object.fromEntries(
    configs.flatMap((section) => {
      const kind = section['@type'].replace(/^.*\.v3\./, '');
      return kind === 'BootstrapConfigDump' ? [] : [[kind, section]];
    }),
  );
}

const STATS =
  '^(control_plane|runtime.(update_|version|init_fetch|control_plane|num_keys)|cluster_manager.cds.(update_|version|control_plane)|listener_manager.(lds.(update_|version|control_plane)|listener_)|cluster.a.(control_plane|version)|http.test.rds)';

async function stats(admin: number): Promise<string[]> {
  return (await fetchText(admin, `/stats?filter=${encodeURIComponent(STATS)}`))
    .split('\n')
    .filter((line) => !/_time|duration|attempt|_reload_/.test(line));
}

interface Told {
  readonly at: string;
  readonly dump: Record<string, unknown>;
  readonly stats: readonly string[];
}

/** The same resources over both forms, aggregated or not; what is told once everything has been answered. */
async function observe(engine: Engine, apiType: string, aggregated: boolean): Promise<object> {
  const server = await serveXds();
  closing.push(() => server.stop());
  const port = await freePort();
  const source = aggregated
    ? { resourceApiVersion: 'V3', ads: {} }
    : { resourceApiVersion: 'V3', apiConfigSource: grpcTo(apiType) };
  server.set('1', resources(port, source, { header: '1' }));
  const admin = await start(engine, {
    node: { id: 'n', cluster: 'c' },
    layeredRuntime: { layers: [{ name: 'rt', rtdsLayer: { name: 'rt', rtdsConfig: source } }] },
    staticResources: { clusters: [staticCluster('xds', [server.port], HTTP2)] },
    dynamicResources: {
      ...(aggregated ? { adsConfig: grpcTo(apiType) } : {}),
      cdsConfig: source,
      ldsConfig: source,
    },
  });
  const told: Told[] = [];
  const tell = async (at: string): Promise<void> => {
    told.push({ at, dump: await dump(admin, { PORT: port, XDS: server.port }), stats: await stats(admin) });
  };
  await tell('first');
  server.set('2', resources(port, source, { header: '2' }));
  await expect.poll(() => fetchText(admin, '/stats?filter=rds.*version_text')).toContain('"2"');
  await tell('another route configuration');
  // The listener as a whole is another, so the one before drains.
  server.set('3', resources(port, source, { header: '2', backlog: 7 }));
  await expect.poll(() => fetchText(admin, '/stats?filter=lds.version_text')).toContain('"3"');
  await tell('another listener');
  server.set('4', []);
  await expect.poll(() => fetchText(admin, '/stats?filter=(c|l)ds.version_text')).toMatch(/"4"[^]*"4"/);
  if (apiType === 'DELTA_GRPC')
    await expect.poll(() => fetchText(admin, '/stats?filter=runtime.num_keys')).toContain(': 0');
  await tell('nothing any more');
  return { told, asks: askers(server) };
}

/** Who says which proxy it is: requests of the first stream. */
function askers({ requests }: XdsServer): readonly string[] {
  return [...new Set(requests.map(({ node }: DiscoveryRequest) => node?.id ?? 'nobody'))];
}

function resources(
  port: number,
  source: object,
  { header, backlog = 5 }: { readonly header: string; readonly backlog?: number },
): Served[] {
  return [
    { '@type': TypeUrl.cluster, name: 'a', type: 'EDS', edsClusterConfig: { edsConfig: source } },
    { '@type': TypeUrl.endpoint, clusterName: 'a' },
    { '@type': TypeUrl.runtime, name: 'rt', layer: { a: 1, b: 2 } },
    {
      '@type': TypeUrl.listener,
      ...listener(port, [
        {
          filters: [hcm([], { routeConfig: undefined, rds: { routeConfigName: 'r', configSource: source } })],
        },
      ]),
      name: 'l',
      tcpBacklogSize: backlog,
    },
    {
      '@type': TypeUrl.route,
      name: 'r',
      responseHeadersToAdd: [{ header: { key: 'x', value: header } }],
      virtualHosts: [{ name: 'v', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'a' } }] }],
    },
  ];
}

test.each(
  ['GRPC', 'DELTA_GRPC'].flatMap((apiType) => [true, false].map((aggregated) => [apiType, aggregated] as const)),
)('resources over %s, aggregated: %s', { timeout: 60_000 }, async (apiType, aggregated) => {
  const theirs = await observe('Envoy', apiType, aggregated);
  expect(await observe('Mizzen', apiType, aggregated)).toEqual(theirs);
});

/** What is told of a listener that waits for what a server says nothing of. */
async function waiting(engine: Engine, chainOf: (source: object) => object): Promise<object> {
  const server = await serveXds();
  closing.push(() => server.stop());
  const port = await freePort();
  const source = { resourceApiVersion: 'V3', initialFetchTimeout: '60s', apiConfigSource: grpcTo('GRPC') };
  server.set('1', []);
  const admin = await start(engine, {
    node: { id: 'n', cluster: 'c' },
    staticResources: { clusters: [staticCluster('xds', [server.port], HTTP2)] },
    dynamicResources: { ldsConfig: source },
  });
  server.set('2', [{ '@type': TypeUrl.listener, ...listener(port, [chainOf(source)]), name: 'l' }]);
  await expect.poll(() => fetchText(admin, '/init_dump')).toContain('unready_targets_dumps');
  await expect.poll(() => fetchText(admin, '/stats?filter=control_plane.connected_state')).toMatch(/(: 1\n[^]*){2}/);
  const init = await Promise.all(
    ['', '?mask=', '?mask=listener', '?mask=other'].map((query) => fetchText(admin, `/init_dump${query}`)),
  );
  return {
    init: init.map((text) => text.replaceAll(/ \d+"/g, ' HASH"')),
    dump: await dump(admin, { PORT: port, XDS: server.port }),
    stats: (await fetchText(admin, '/stats?filter=(sds|rds|extension_config_discovery)'))
      .split('\n')
      .filter((line) => !/_time|duration|ssl_context/.test(line)),
  };
}

const tls = (source: object): object => ({
  name: 'tls',
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext`,
    commonTlsContext: { tlsCertificateSdsSecretConfigs: [{ name: 's', sdsConfig: source }] },
  },
});
const discovered = (source: object): object => ({
  name: 'e',
  configDiscovery: { configSource: source, typeUrls: [`${TYPE}envoy.extensions.filters.http.cors.v3.Cors`] },
});

test.each<readonly [string, (source: object) => object]>([
  [
    'a route configuration',
    (source) => ({
      filters: [hcm([], { routeConfig: undefined, rds: { routeConfigName: 'r', configSource: source } })],
    }),
  ],
  ['a secret', (source) => ({ filters: [hcm([])], transportSocket: tls(source) })],
  ['a filter', (source) => ({ filters: [hcm([], { httpFilters: [discovered(source), router] })] })],
])('a listener waits for %s', { timeout: 60_000 }, async (_, chainOf) => {
  const theirs = await waiting('Envoy', chainOf);
  expect(await waiting('Mizzen', chainOf)).toEqual(theirs);
});
