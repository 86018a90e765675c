import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issue, loadOrCreateRoot } from '@mizzen/control-plane';
import { expect, test } from 'vitest';
import { statusesFromConfig } from './cluster-statuses.ts';
import { clustersOf, clusterTable } from './clusters.ts';
import { extensionTable } from './ecds.ts';
import { assignmentsOf, assignmentTable } from './eds.ts';
import { clusterStatusesOf, endpointTable } from './endpoints.ts';
import { listenersOf, listenerTable } from './listeners.ts';
import { Dump } from './read-dump.ts';
import { routesOf, routeTable } from './routes.ts';
import { secretTable } from './secrets.ts';

const TYPE = 'type.googleapis.com/';
const admin = (name: string, rest: object): object => ({ '@type': `${TYPE}envoy.admin.v3.${name}`, ...rest });
const dump = (...configs: object[]): Dump => Dump.parse(JSON.stringify({ configs }));

/** Cells of a table, without the space between them. */
const cells = (table: string): string[][] =>
  table
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.split(/ {5,}/).map((cell) => cell.trim()));

const socket = (address: string, port: number): object => ({ socketAddress: { address, portValue: port } });
const http = (config: object): object => ({
  name: 'envoy.filters.network.http_connection_manager',
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    ...config,
  },
});
const tcp = (cluster: string): object => ({
  name: 'envoy.filters.network.tcp_proxy',
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy`, cluster },
});
const listener = (name: string, rest: object): object => ({
  name,
  activeState: { listener: { '@type': `${TYPE}envoy.config.listener.v3.Listener`, name, ...rest } },
});
const ANY_LISTENER = { address: '', port: 0, type: '' };

test('filter chains say what they match and where they lead', () => {
  const inline = (routes: object[], domains: string[]): object => ({
    routeConfig: { virtualHosts: [{ domains, routes }] },
  });
  const chains = [
    { filterChainMatch: { serverNames: ['a', 'b'], transportProtocol: 'tls' }, filters: [tcp('outbound|1||a')] },
    {
      filterChainMatch: { prefixRanges: [{ addressPrefix: '10.0.0.0', prefixLen: 8 }], destinationPort: 80 },
      filters: [http({ rds: { routeConfigName: '80' } })],
    },
    { filterChainMatch: { destinationPort: 15001 }, filters: [tcp('BlackHoleCluster')] },
    {
      filterChainMatch: { applicationProtocols: ['http/1.0', 'http/1.1', 'h2c'] },
      filters: [http(inline([{ match: { prefix: '/' }, route: { cluster: 'inbound|80||' } }], ['*']))],
    },
    {
      filters: [
        http(
          inline(
            [
              { match: { pathSeparatedPrefix: '/a' }, route: {} },
              { match: { safeRegex: { regex: '/b.*' } }, route: {} },
            ],
            ['x', 'y'],
          ),
        ),
      ],
    },
  ];
  const table = listenerTable(
    listenersOf(
      dump(
        admin('ListenersConfigDump', {
          dynamicListeners: [
            listener('l', {
              address: socket('0.0.0.0', 80),
              additionalAddresses: [{ address: socket('::', 80) }],
              filterChains: chains,
              defaultFilterChain: { filters: [http({})] },
            }),
          ],
        }),
      ),
      ANY_LISTENER,
    ),
    { verbose: true },
  );
  expect(table.split('\n').map((line) => line.trimEnd())).toEqual([
    'ADDRESSES  PORT MATCH                DESTINATION',
    '0.0.0.0,:: 80   Addr: 10.0.0.0/8:80  Route: 80',
    '0.0.0.0,:: 80   Addr: *:15001        Non-HTTP/Non-TCP',
    '0.0.0.0,:: 80   ALL                  Inline Route: x/y PathPrefix:/a, regex /b.*',
    '0.0.0.0,:: 80   ALL                  HTTP',
    '0.0.0.0,:: 80   SNI: a,b; Trans: tls Cluster: outbound|1||a',
    '0.0.0.0,:: 80   App: HTTP            Cluster: inbound|80||',
    '',
  ]);
});

test('listeners are chosen by address, port and type, and sorted', () => {
  const of = (name: string, address: string, port: number, filters: object[]): object =>
    listener(name, { address: socket(address, port), filterChains: [{ filters }] });
  const own = dump(
    admin('ListenersConfigDump', {
      dynamicListeners: [
        of('b', '10.0.0.2', 80, [http({})]),
        of('a', '10.0.0.1', 80, [http({}), tcp('x')]),
        of('c', '10.0.0.1', 79, [tcp('BlackHoleCluster')]),
        of('d', '10.0.0.1', 81, [tcp('x')]),
      ],
      staticListeners: [{ listener: { name: 's', address: { pipe: { path: '/tmp/s' } } } }],
    }),
  );
  const table = (filter: Partial<typeof ANY_LISTENER>): string[] =>
    listenerTable(listenersOf(own, { ...ANY_LISTENER, ...filter }), { verbose: false })
      .split('\n')
      .slice(1, -1);
  expect(table({})).toEqual([
    '/tmp/s    0    UNKNOWN',
    '10.0.0.1  79   UNKNOWN',
    '10.0.0.1  80   HTTP+TCP',
    '10.0.0.2  80   HTTP',
    '10.0.0.1  81   TCP',
  ]);
  expect(table({ type: 'http' })).toHaveLength(1);
  expect(table({ port: 80, address: '10.0.0.1' })).toEqual(['10.0.0.1  80   HTTP+TCP']);
});

test('clusters: names of every kind, filters, both spellings of names', () => {
  const named = (name: string, rest: object = {}): object => ({ cluster: { name, ...rest } });
  const metadata = (config: string): object => ({ metadata: { filter_metadata: { istio: { config } } } });
  const own = dump({
    '@type': `${TYPE}envoy.admin.v3.ClustersConfigDump`,
    dynamic_active_clusters: [
      named('outbound|80|v1|a.ns.svc', { type: 'EDS' }),
      named('outbound|80||a.ns.svc', {
        type: 3,
        ...metadata('/apis/networking.istio.io/v1/namespaces/ns/destination-rule/a'),
      }),
      named('outbound|443||a.ns.svc', { type: 'EDS', ...metadata('/apis/example.com/v1/x') }),
      { version_info: 'no cluster' },
    ],
    static_clusters: [{ cluster: { '@type': `${TYPE}envoy.config.cluster.v3.Cluster`, name: 'agent' } }],
  });
  const table = (filter: object = {}): string[][] =>
    cells(clusterTable(clustersOf(own, { fqdn: '', port: 0, subset: '', direction: '', ...filter })));
  expect(table()).toEqual([
    ['SERVICE FQDN', 'PORT', 'SUBSET', 'DIRECTION', 'TYPE', 'DESTINATION RULE'],
    ['a.ns.svc', '80', '-', 'outbound', 'EDS', 'a.ns'],
    ['a.ns.svc', '443', '-', 'outbound', 'EDS', '<unknown>'],
    ['a.ns.svc', '80', 'v1', 'outbound', 'EDS', ''],
    ['agent', '-', '-', '-', 'STATIC', ''],
  ]);
  expect(table({ port: 80, subset: 'v1' })).toHaveLength(2);
  expect(table({ direction: 'inbound' })).toHaveLength(1);
});

test('routes: domains in short, no rows for passing through, 404 for nothing', () => {
  const route = (prefix: string, cluster: string): object => ({ match: { prefix }, route: { cluster } });
  const own = dump(
    admin('RoutesConfigDump', {
      dynamicRouteConfigs: ['9080', '80', 'x'].map((name) => ({
        routeConfig: {
          name,
          virtualHosts: [
            { name: 'allow_any', domains: ['*'], routes: [route('/', 'PassthroughCluster')] },
            { name: 'block', domains: ['a:80', '[fd00:10::7]', '[fd00:10::7]:80', 'b.svc', 'b', 'c', 'd'] },
            { name: 'v', domains: ['one'], routes: [route('/x', 'c'), { match: { path: '/y' }, redirect: {} }] },
          ],
        },
      })),
    }),
  );
  expect(cells(routeTable(routesOf(own, '80'), { verbose: true }))).toEqual([
    ['NAME', 'VHOST NAME', 'DOMAINS', 'MATCH', 'VIRTUAL SERVICE'],
    ['80', 'block', '[fd00:10::7], b + 2 more...', '/*', '404'],
    ['80', 'v', 'one', '/x*', ''],
    ['80', 'v', 'one', '/y', ''],
  ]);
  expect(cells(routeTable(routesOf(own, ''), { verbose: false }))).toEqual([
    ['NAME', 'VIRTUAL HOSTS'],
    ['80', '3'],
    ['9080', '3'],
    ['x', '3'],
  ]);
});

test('endpoints: of Envoy itself, and of a dump that only says what they should be', () => {
  const file = Dump.parse(
    JSON.stringify({
      cluster_statuses: [
        {
          name: 'b',
          host_statuses: [
            {
              address: socket('10.0.0.2', 80),
              health_status: { eds_health_status: 'HEALTHY', failed_outlier_check: true },
            },
            { address: { pipe: { path: 'sock' } }, health_status: { eds_health_status: 2 } },
            { address: { envoy_internal_address: { server_listener_name: 'l', endpoint_id: 'e' } } },
          ],
        },
      ],
    }),
  );
  const any = { address: '', port: 0, cluster: '', status: '' };
  const table = (own: Dump, filter = {}): string[][] => {
    const all = { ...any, ...filter };
    return cells(endpointTable(clusterStatusesOf(own, all), all)).slice(1);
  };
  expect(table(file)).toEqual([
    ['10.0.0.2:80', 'HEALTHY', 'FAILED', 'b'],
    ['envoy://l/e', 'UNKNOWN', 'OK', 'b'],
    ['unix://sock', 'UNHEALTHY', 'OK', 'b'],
  ]);
  expect(table(file, { status: 'unhealthy' })).toEqual([['unix://sock', 'UNHEALTHY', 'OK', 'b']]);
  expect(table(file, { cluster: 'B', port: 80 })).toHaveLength(1);
  const group = (address: string, rest: object): object => ({
    locality: { region: 'r', zone: 'z' },
    lbEndpoints: [{ endpoint: { address: socket(address, 8080) }, ...rest }],
  });
  const config = dump(
    admin('ClustersConfigDump', {
      dynamicActiveClusters: [
        { cluster: { name: 'eds', type: 'EDS', edsClusterConfig: { serviceName: 'other' } } },
        { cluster: { name: 'own', loadAssignment: { endpoints: [group('10.0.0.9', {})] } } },
      ],
    }),
    admin('EndpointsConfigDump', {
      dynamicEndpointConfigs: [
        {
          endpointConfig: {
            '@type': `${TYPE}envoy.config.endpoint.v3.ClusterLoadAssignment`,
            clusterName: 'other',
            endpoints: [group('10.0.0.1', { healthStatus: 'DRAINING' }), group('10.0.0.2', {})],
          },
        },
      ],
    }),
  );
  expect(table(Dump.of(statusesFromConfig(config)))).toEqual([
    ['10.0.0.1:8080', 'DRAINING', 'OK', 'eds'],
    ['10.0.0.2:8080', 'HEALTHY', 'OK', 'eds'],
    ['10.0.0.9:8080', 'HEALTHY', 'OK', 'own'],
  ]);
  expect(cells(assignmentTable(assignmentsOf(config, { ...any, status: 'draining' })))).toEqual([
    ['NAME', 'STATUS', 'LOCALITY', 'CLUSTER'],
    ['10.0.0.1:8080', 'DRAINING', 'r/z', 'other'],
  ]);
});

test('secrets: certificates that are valid, over, not there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-secrets-'));
  try {
    const now = Date.parse('2026-01-15T12:00:00Z');
    const root = loadOrCreateRoot(folder, 'cluster.local', now);
    const identity = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'orders' };
    const inline = (pem: string): object => ({ inlineBytes: Buffer.from(pem).toString('base64') });
    const { chain } = issue(root, identity, now, 3_600_000);
    const own = dump(
      admin('SecretsConfigDump', {
        dynamicActiveSecrets: [
          { name: 'default', secret: { name: 'default', tlsCertificate: { certificateChain: inline(chain) } } },
          { name: 'ROOTCA', secret: { name: 'ROOTCA', validationContext: { trustedCa: inline(root.pem) } } },
          { name: 'broken', secret: { tlsCertificate: { certificateChain: inline('no certificate') } } },
        ],
        dynamicWarmingSecrets: [{ name: 'kubernetes://front', secret: { name: 'kubernetes://front' } }],
      }),
    );
    const rows = (at: number): string[][] => cells(secretTable(own, at));
    const [head, warming, ...active] = rows(now + 1000);
    expect(head).toEqual(['RESOURCE NAME', 'TYPE', 'STATUS', 'VALID CERT', 'SERIAL NUMBER', 'NOT AFTER', 'NOT BEFORE']);
    expect(warming?.slice(0, 3)).toEqual(['kubernetes://front', 'WARMING', 'false']);
    expect(active.map((row) => row.slice(0, 4))).toEqual([
      ['default', 'Cert Chain', 'ACTIVE', 'true'],
      ['ROOTCA', 'CA', 'ACTIVE', 'true'],
      ['broken', 'ACTIVE', 'false', ''],
    ]);
    expect(active[0]?.[4]).toMatch(/^(?:[0-9a-f]{2})+$/);
    expect(active[0]?.[5]).toBe('2026-01-15T13:00:00Z');
    expect(rows(now + 7_200_000)[2]?.[3]).toBe('false');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  expect(secretTable(dump(admin('SecretsConfigDump', {})), 0)).toBe('No active or warming secrets found.\n');
});

test('extension configurations by type and name', () => {
  const filter = (name: string, type: string): object => ({
    ecdsFilter: {
      '@type': `${TYPE}envoy.config.core.v3.TypedExtensionConfig`,
      name,
      typedConfig: { '@type': TYPE + type },
    },
  });
  const own = dump(admin('EcdsConfigDump', { ecdsFilters: [filter('b', 'z'), filter('c', 'a'), filter('a', 'z')] }));
  expect(cells(extensionTable(own))).toEqual([
    ['ECDS NAME', 'TYPE'],
    ['c', 'a'],
    ['a', 'z'],
    ['b', 'z'],
  ]);
});

test('what a dump has not is said in the words of istioctl', () => {
  const nothing = dump();
  expect(() => clustersOf(nothing, { fqdn: '', port: 0, subset: '', direction: '' })).toThrow(
    'config dump has no configuration type type.googleapis.com/envoy.admin.v3.ClustersConfigDump',
  );
  expect(() => listenersOf(dump(admin('ListenersConfigDump', {})), ANY_LISTENER)).toThrow('no listeners found');
  expect(() => routesOf(dump(admin('RoutesConfigDump', {})), '')).toThrow('no routes found');
  expect(() => Dump.parse('[]')).toThrow('error unmarshalling config dump response from Envoy: not a JSON object');
});
