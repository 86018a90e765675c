import { expect, test } from 'vitest';
import { simulate } from './explain.ts';
import { compileNode, type NodeResources } from './programs.ts';
import { renderExplanation } from './render.ts';
import type { NodePrograms } from './types.ts';

const type = (name: string): string => `type.googleapis.com/${name}`;
const NETWORK = 'envoy.extensions.filters.network';
const HTTP = 'envoy.extensions.filters.http';
const TLS = 'envoy.extensions.transport_sockets.tls.v3';
const socket = (address: string, portValue: number): object => ({ socketAddress: { address, portValue } });
const sds = (name: string): object => ({ name, sdsConfig: { ads: {} } });
const router = { name: 'router', typedConfig: { '@type': type(`${HTTP}.router.v3.Router`) } };
const hcm = (routes: object, filters: object[] = []): object => ({
  name: 'hcm',
  typedConfig: {
    '@type': type(`${NETWORK}.http_connection_manager.v3.HttpConnectionManager`),
    statPrefix: 's',
    httpFilters: [...filters, router],
    ...routes,
  },
});
const assignment = (clusterName: string, ...addresses: [string, number, string?][]): object => ({
  clusterName,
  endpoints: [
    {
      lbEndpoints: addresses.map(([address, port, healthStatus = 'HEALTHY']) => ({
        endpoint: { address: socket(address, port) },
        healthStatus,
        metadata: { filterMetadata: { 'envoy.transport_socket_match': { tlsMode: 'istio' } } },
      })),
    },
  ],
});
const orders = 'spiffe://cluster.local/ns/default/sa/orders';
const catalog = 'spiffe://cluster.local/ns/default/sa/catalog';
const mutual = (name: string): object => ({
  name: 'tls',
  typedConfig: {
    '@type': type(`${TLS}.UpstreamTlsContext`),
    sni: 'outbound_.80_._.catalog',
    commonTlsContext: {
      tlsCertificateSdsSecretConfigs: [sds('default')],
      combinedValidationContext: {
        defaultValidationContext: { matchSubjectAltNames: [{ exact: name }] },
        validationContextSdsSecretConfig: sds('ROOTCA'),
      },
      alpnProtocols: ['istio', 'http/1.1'],
    },
  },
});
const eds = (name: string, transport: object): object => ({
  name,
  type: 'EDS',
  edsClusterConfig: { edsConfig: { ads: {} } },
  lbPolicy: 'LEAST_REQUEST',
  transportSocketMatches: [
    { name: 'istio', match: { tlsMode: 'istio' }, ...transport },
    {
      name: 'disabled',
      match: {},
      transportSocket: {
        name: 'raw',
        typedConfig: { '@type': type('envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer') },
      },
    },
  ],
});

const client: NodeResources = {
  listeners: [
    {
      name: 'http_proxy',
      address: socket('127.1.0.1', 15080),
      filterChains: [{ filters: [hcm({ rds: { routeConfigName: 'http_proxy', configSource: { ads: {} } } })] }],
    },
  ],
  routes: [
    {
      name: 'http_proxy',
      virtualHosts: [
        {
          name: 'catalog:80',
          domains: ['catalog', 'catalog:80', 'catalog.default', 'catalog.default:80'],
          routes: [
            {
              name: 'beta',
              match: { prefix: '/', headers: [{ name: 'x-user', stringMatch: { exact: 'beta' } }] },
              route: { cluster: 'v2', timeout: '2s', retryPolicy: { numRetries: 2, retryOn: '5xx' } },
            },
            { match: { path: '/old' }, redirect: { pathRedirect: '/new' } },
            { match: { prefix: '/gone' }, route: { cluster: 'gone' } },
            { match: { prefix: '/stranger' }, route: { cluster: 'stranger' } },
            { match: { prefix: '/plain' }, route: { cluster: 'plain' } },
            {
              match: { prefix: '/split' },
              route: {
                weightedClusters: {
                  clusters: [
                    { name: 'v1', weight: 80 },
                    { name: 'v2', weight: 20 },
                  ],
                },
              },
            },
            { match: { prefix: '/' }, route: { cluster: 'v1', prefixRewrite: '/api/' } },
          ],
        },
      ],
    },
  ],
  clusters: [
    eds('v1', { transportSocket: mutual(catalog) }),
    eds('v2', { transportSocket: mutual(catalog) }),
    eds('stranger', { transportSocket: mutual('spiffe://cluster.local/ns/default/sa/other') }),
    { name: 'plain', type: 'STATIC', loadAssignment: assignment('plain', ['127.1.0.2', 8080]) },
  ],
  endpoints: [
    assignment('v1', ['127.1.0.2', 8080], ['127.1.0.9', 8080, 'UNHEALTHY']),
    assignment('v2', ['127.1.0.3', 8080, 'DRAINING']),
    assignment('stranger', ['127.1.0.2', 8080]),
  ],
};
const principal = (name: string): object => ({ authenticated: { principalName: { exact: name } } });
const server: NodeResources = {
  listeners: [
    {
      name: '127.1.0.2_8080',
      address: socket('127.1.0.2', 8080),
      filterChains: [
        {
          name: 'mutual',
          filterChainMatch: { transportProtocol: 'tls', applicationProtocols: ['istio'] },
          transportSocket: {
            name: 'tls',
            typedConfig: {
              '@type': type(`${TLS}.DownstreamTlsContext`),
              requireClientCertificate: true,
              commonTlsContext: {
                tlsCertificateSdsSecretConfigs: [sds('default')],
                validationContextSdsSecretConfig: sds('ROOTCA'),
              },
            },
          },
          filters: [
            hcm(
              {
                routeConfig: {
                  name: 'inbound',
                  virtualHosts: [
                    {
                      name: 'inbound|http|80',
                      domains: ['*'],
                      routes: [{ name: 'default', match: { prefix: '/' }, route: { cluster: 'inbound' } }],
                    },
                  ],
                },
              },
              [
                {
                  name: 'envoy.filters.http.rbac',
                  typedConfig: {
                    '@type': type(`${HTTP}.rbac.v3.RBAC`),
                    rules: {
                      action: 'ALLOW',
                      policies: {
                        readers: {
                          permissions: [
                            {
                              andRules: {
                                rules: [
                                  { header: { name: ':method', stringMatch: { exact: 'GET' } } },
                                  { urlPath: { path: { prefix: '/api' } } },
                                ],
                              },
                            },
                          ],
                          principals: [principal(orders)],
                        },
                        staff: {
                          permissions: [{ any: true }],
                          principals: [principal('spiffe://cluster.local/ns/default/sa/staff')],
                        },
                      },
                    },
                  },
                },
              ],
            ),
          ],
        },
      ],
    },
  ],
  routes: [],
  clusters: [{ name: 'inbound', type: 'STATIC', loadAssignment: assignment('inbound', ['127.0.0.1', 9000]) }],
  endpoints: [],
};

function programs(node: string, identity: string, address: string, resources: NodeResources): NodePrograms {
  const compiled = compileNode({ node, label: node, identity, address }, resources);
  expect(compiled.nacks).toEqual([]);
  return compiled.programs;
}
const ask = (
  path: string,
  more: { method?: string; authority?: string; headers?: [string, string][]; port?: number } = {},
) =>
  simulate(programs('orders', orders, '127.1.0.1', client), [programs('catalog', catalog, '127.1.0.2', server)], {
    method: more.method ?? 'GET',
    path,
    authority: more.authority ?? 'catalog',
    headers: more.headers ?? [],
    enter: { address: '127.1.0.1', port: more.port ?? 15080 },
  });
const texts = (explanation: Awaited<ReturnType<typeof ask>>): string[] => explanation.steps.map((step) => step.text);

test('a request that gets through, as a person sees it', async () => {
  const explanation = await ask('/products');
  const text = renderExplanation(explanation, (kind, resource, path) =>
    kind === 'route' && resource === 'http_proxy' && path.length === 4
      ? { file: 'catalog.yaml', line: 10 + Number(path[3]) }
      : undefined,
  );
  expect(text).toBe(`GET http://catalog/products

orders
  ✓ listener "http_proxy" at 127.1.0.1:15080
  ✓ filter chain 0 takes the connection
  ✓ route configuration "http_proxy" decides
  ✓ virtual host "catalog:80" (catalog, catalog:80, catalog.default and 1 more) takes "catalog"
  ✗ route 0 "beta" does not match, because not: header "x-user" is "beta"  catalog.yaml:10
  ✗ route 1 does not match, because not: path is "/old"  catalog.yaml:11
  ✗ route 2 does not match, because not: path starts with "/gone"  catalog.yaml:12
  ✗ route 3 does not match, because not: path starts with "/stranger"  catalog.yaml:13
  ✗ route 4 does not match, because not: path starts with "/plain"  catalog.yaml:14
  ✗ route 5 does not match, because not: path starts with "/split"  catalog.yaml:15
  ✓ route 6 matches: path starts with "/" → cluster "v1"  catalog.yaml:16
  · path is rewritten to /api/products
  ✓ cluster "v1": EDS, LEAST_REQUEST, at most 1024 connections, 1024 requests waiting
  · timeout 15 s; no retries
  ✓ 1 endpoint: 127.1.0.2:8080; 1 not healthy or of a later priority
  · mutual TLS as spiffe://cluster.local/ns/default/sa/orders, server name outbound_.80_._.catalog, the other side's name is "spiffe://cluster.local/ns/default/sa/catalog"

catalog
  ✓ listener "127.1.0.2_8080" of catalog at 127.1.0.2:8080
  ✓ filter chain "mutual" takes the connection
  ✓ virtual host "inbound|http|80" (*) takes "catalog"
  ✓ route 0 "default" matches: path starts with "/" → cluster "inbound"
  ✓ policy "readers" matches: header ":method" is "GET" and path starts with "/api"; from: identity of the client is "spiffe://cluster.local/ns/default/sa/orders"
  ✓ allowed: ALLOW policy "readers" matches
  ✓ cluster "inbound": STATIC, ROUND_ROBIN, at most 1024 connections, 1024 requests waiting
  · timeout 15 s; no retries
  ✓ 1 endpoint: 127.0.0.1:9000
  · plain text

→ it reaches 127.0.0.1:9000
`);
  expect(explanation).toMatchObject({ client: 'orders', server: 'catalog', verdict: { reached: true } });
});

test('a denial names what each policy lacked, and where', async () => {
  const explanation = await ask('/products', { method: 'POST' });
  expect(explanation.verdict).toEqual({
    reached: false,
    status: 403,
    body: 'RBAC: access denied',
    flags: '-',
    details: 'rbac_access_denied_matched_policy[none]',
    text: 'catalog answers 403: RBAC: access denied',
  });
  const policies = explanation.steps.filter((step) => step.kind === 'policy');
  expect(policies.map((step) => step.text)).toEqual([
    'policy "readers" does not match, because not: header ":method" is "GET"',
    'policy "staff" does not match, because not: identity of the client is "spiffe://cluster.local/ns/default/sa/staff"',
  ]);
  expect(policies[0]).toMatchObject({
    side: 'server',
    node: 'catalog',
    xds: {
      type: 'listener',
      resource: '127.1.0.2_8080',
      path: [
        'filterChains',
        0,
        'filters',
        0,
        'typedConfig',
        'httpFilters',
        0,
        'typedConfig',
        'rules',
        'policies',
        'readers',
      ],
    },
  });
});

test.each([
  [
    '/x',
    { headers: [['X-User', 'beta']] as [string, string][] },
    { status: 503, flags: 'UH' },
    'none of 1 endpoints is healthy',
  ],
  [
    '/old',
    {},
    { status: 301, text: 'orders answers 301: http://catalog/new' },
    'route 1 matches: path is "/old" → 301 redirect to http://catalog/new',
  ],
  ['/gone', {}, { status: 503, flags: 'NC' }, 'there is no cluster "gone"'],
  [
    '/stranger',
    {},
    {
      status: 503,
      flags: 'UF',
      text: 'the server is spiffe://cluster.local/ns/default/sa/catalog, whom the client does not expect there',
    },
    'mutual TLS as',
  ],
  [
    '/plain',
    {},
    { status: undefined, text: 'catalog closes the connection: it takes no plain text here' },
    'no filter chain fits the transport protocol',
  ],
  ['/x', { authority: 'nobody' }, { status: 404, flags: 'NR' }, 'no virtual host has a domain for "nobody"'],
  ['/x', { port: 1 }, { status: undefined, text: 'nothing listens at 127.1.0.1:1' }, 'nothing listens'],
  ['/split', {}, { status: 403 }, '(v1 80/100, v2 20/100)'],
])('%s %j', async (path, more, verdict, said) => {
  const explanation = await ask(path, more);
  expect(explanation.verdict).toMatchObject({ reached: false, ...verdict });
  expect(
    texts(explanation).some((text) => text.includes(said)),
    texts(explanation).join('\n'),
  ).toBe(true);
});

/** The server, when its application asks for its own service. */
const calling: NodeResources = {
  ...client,
  listeners: [...client.listeners, { ...(server.listeners[0] as object), trafficDirection: 'INBOUND' }],
  clusters: [...client.clusters, ...server.clusters],
};

test('a workload that calls itself leaves through its sidecar, and comes in again through the same', async () => {
  const own = programs('catalog', catalog, '127.1.0.2', calling);
  const from = (address: string) => ({
    method: 'GET',
    path: '/products',
    authority: 'catalog',
    headers: [],
    enter: { address, port: 15080 },
  });
  const explanation = await simulate(own, [own], from('127.1.0.1'));
  expect(explanation).toMatchObject({
    client: 'catalog',
    server: 'catalog',
    // Of itself it is neither of those that the policies let in.
    verdict: { reached: false, status: 403, text: 'catalog answers 403: RBAC: access denied' },
  });
  const sides = explanation.steps.map(({ side }) => side);
  expect(sides).toEqual(sides.toSorted());
  expect(new Set(sides)).toEqual(new Set(['client', 'server']));
  const text = renderExplanation(explanation, () => undefined);
  expect(text.match(/^catalog$/gm)).toHaveLength(2);
  expect(text).toContain(`mutual TLS as ${catalog}`);
});
