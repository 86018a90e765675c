import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningEnvoy, startEnvoy } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allTables } from './all.ts';
import { comparison } from './compare.ts';
import { endpointTable, clusterStatusesOf } from './endpoints.ts';
import { canonicalMessage } from './proto-json.ts';
import { clustersOf } from './clusters.ts';
import { Dump } from './read-dump.ts';

const TYPE = 'type.googleapis.com/envoy.extensions.';
const cluster = {
  name: 'outbound|80||web.shop.svc.cluster.local',
  type: 'STATIC',
  connectTimeout: '0.25s',
  loadAssignment: {
    clusterName: 'x',
    endpoints: [
      { lbEndpoints: [{ endpoint: { address: { socketAddress: { address: '127.0.0.1', portValue: 9 } } } }] },
    ],
  },
};
const listener = {
  name: 'front',
  address: { socketAddress: { address: '127.0.0.1', portValue: 0 } },
  filterChains: [
    {
      filters: [
        {
          name: 'envoy.filters.network.http_connection_manager',
          typedConfig: {
            '@type': `${TYPE}filters.network.http_connection_manager.v3.HttpConnectionManager`,
            statPrefix: 'front',
            httpFilters: [
              {
                name: 'envoy.filters.http.router',
                typedConfig: { '@type': `${TYPE}filters.http.router.v3.Router` },
              },
            ],
            routeConfig: {
              name: 'static',
              virtualHosts: [
                {
                  name: 'web',
                  domains: ['web', 'web.shop'],
                  routes: [{ match: { prefix: '/a' }, route: { cluster: cluster.name } }],
                },
              ],
            },
          },
        },
      ],
    },
  ],
};

let folder: string;
let envoy: RunningEnvoy;
const ask = async (path: string): Promise<string> =>
  (await fetch(`http://127.0.0.1:${envoy.adminPort}/${path}`)).text();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mizzen-dump-'));
  const [cds, lds] = [join(folder, 'cds.json'), join(folder, 'lds.json')];
  const resources = (type: string, resource: object): string =>
    JSON.stringify({ version_info: '1', resources: [{ '@type': `type.googleapis.com/${type}`, ...resource }] });
  writeFileSync(cds, resources('envoy.config.cluster.v3.Cluster', cluster));
  writeFileSync(lds, resources('envoy.config.listener.v3.Listener', listener));
  const file = (path: string): object => ({ pathConfigSource: { path }, resourceApiVersion: 'V3' });
  envoy = await startEnvoy({
    node: {
      id: 'sidecar~10.0.0.1~web-0.shop~shop.svc.cluster.local',
      cluster: 'web',
      metadata: { ISTIO_VERSION: '1.27.1' },
    },
    dynamicResources: { cdsConfig: file(cds), ldsConfig: file(lds) },
  });
});
afterAll(async () => {
  await envoy.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("every table of a real Envoy's dump, whose names are in its own spelling", async () => {
  const dump = Dump.parse(await ask('config_dump?include_eds'));
  const text = [
    ...allTables(dump, {
      clusters: { fqdn: '', port: 0, subset: '', direction: '' },
      listeners: { address: '', port: 0, type: '' },
      route: '',
      verbose: true,
      envoy: true,
      now: 0,
    }),
  ].join('');
  expect(text).toMatch(/^Istio Version: 1\.27\.1\nEnvoy Version: \d+\.\d+\.\d+\/Clean\/RELEASE\/BoringSSL\n\n/);
  expect(text).toMatch(/^cluster\/outbound\|80\|\|web\S+ +web\.shop\.svc\.cluster\.local +80 +- +outbound +STATIC +$/m);
  expect(text).toMatch(/^listener\/front 127\.0\.0\.1 0 +ALL +Inline Route: web\/web\.shop \/a\*$/m);
  expect(text).toMatch(/^route\/static +web +web, web\.shop +\/a\* +$/m);
  expect(text).toMatch(/^No active or warming secrets found\.$/m);
  expect(text).toMatch(/^endpoint\/127\.0\.0\.1:9 +HEALTHY +outbound\|80\|\|web/m);
});

test('its endpoints, which it tells apart', async () => {
  const any = { address: '', port: 0, cluster: '', status: '' };
  const dump = Dump.parse(await ask('clusters?format=json'));
  expect(endpointTable(clusterStatusesOf(dump, any), any)).toMatch(
    /^127\.0\.0\.1:9 +HEALTHY +OK +outbound\|80\|\|web/m,
  );
});

test('what it has of what it was given is the same; a difference is shown in its place', async () => {
  const dump = Dump.parse(await ask('config_dump'));
  const [own] = clustersOf(dump, { fqdn: '', port: 0, subset: '', direction: '' });
  const { '@type': _, ...printed } = canonicalMessage('envoy.config.cluster.v3.Cluster', own!);
  expect(printed).toEqual({ ...cluster, connectTimeout: '0.250s' });
  const type = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';
  const sent = (timeout: string): Dump =>
    Dump.of({
      configs: [
        {
          '@type': 'type.googleapis.com/envoy.admin.v3.ClustersConfigDump',
          dynamicActiveClusters: [{ cluster: { '@type': type, ...cluster, connectTimeout: timeout } }],
        },
      ],
    });
  expect([...comparison(sent('0.25s'), dump)][0]).toBe('Clusters Match\n');
  const [different] = [...comparison(sent('1s'), dump)];
  expect(different).toMatch(
    /^Clusters Don't Match\n--- Istiod Clusters\n\+\+\+ Envoy Clusters\n@@ -1,\d+ \+1,\d+ @@\n/,
  );
  expect(different).toMatch(/^- +"connectTimeout": "1s",\n\+ +"connectTimeout": "0\.250s",$/m);
});
