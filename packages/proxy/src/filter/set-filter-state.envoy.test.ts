/** Filter state beside real Envoy: what sets it, and everything that reads it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { observeBoth, startRaw, TYPE, type BesideCase, type Echo, type Observed } from './testing/beside.ts';

type Value = readonly [key: string, format: string, more?: object];
const values = (list: readonly Value[]): object[] =>
  list.map(([objectKey, format, more]) => ({
    objectKey,
    formatString: { textFormatSource: { inlineString: format } },
    ...more,
  }));
const config = (list: readonly Value[], more: object = {}): object => ({
  '@type': `${TYPE}envoy.extensions.filters.http.set_filter_state.v3.Config`,
  onRequestHeaders: values(list),
  ...more,
});
const http = (list: readonly Value[], more: object = {}): object => ({
  name: 'envoy.filters.http.set_filter_state',
  typedConfig: config(list, more),
});
const network = (list: readonly Value[], field = 'onNewConnection'): object => ({
  name: 'envoy.filters.network.set_filter_state',
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.filters.network.set_filter_state.v3.Config`,
    [field]: values(list),
  },
});
const STRING = { factoryKey: 'envoy.string' };
const HASHABLE = { factoryKey: 'envoy.hashable_string' };
const rbac = (principal: object): object => ({
  name: 'envoy.filters.http.rbac',
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.filters.http.rbac.v3.RBAC`,
    rules: { policies: { one: { permissions: [{ any: true }], principals: [principal] } } },
  },
});
const get = (...fields: string[]): string => ['GET /a?b=c HTTP/1.1', 'host: h', ...fields, '', ''].join('\r\n');
const direct = (match: object, body: string): object => ({
  match: { prefix: '/', ...match },
  directResponse: { status: 200, body: { inlineString: body } },
});
/** Routes that answer with what filter state they see. */
const show = (keys: readonly string[]): readonly object[] => [
  {
    ...direct({}, 'seen'),
    responseHeadersToAdd: keys.flatMap((key, i) =>
      [':PLAIN', ':TYPED', '', ':FIELD:ip', ':FIELD:port'].map((form) => ({
        header: { key: `x-${i}${form.toLowerCase().replaceAll(':', '-')}`, value: `%FILTER_STATE(${key}${form})%` },
        keepEmptyValue: true,
      })),
    ),
  },
];
const KEYS: readonly Value[] = [
  ['a', '%REQ(x-v)%', STRING],
  ['a', '%REQ(x-v)%', HASHABLE],
  ['envoy.string', '%REQ(x-v)%'],
  ['envoy.bool', '%REQ(x-v)%'],
  ['envoy.network.upstream_server_name', '%REQ(x-v)%'],
  ['envoy.network.application_protocols', '%REQ(x-v)%'],
  ['envoy.network.upstream_subject_alt_names', '%REQ(x-v)%'],
  ['envoy.tcp_proxy.cluster', '%REQ(x-v)%'],
  ['envoy.tcp_proxy.disable_tunneling', '%REQ(x-v)%'],
  ['envoy.tcp_proxy.per_connection_idle_timeout_ms', '%REQ(x-v)%'],
  ['envoy.network.transport_socket.original_dst_address', '%REQ(x-v)%'],
  ['envoy.filters.listener.original_dst.local_ip', '%REQ(x-v)%'],
  ['envoy.filters.listener.original_dst.remote_ip', '%REQ(x-v)%'],
  ['envoy.upstream.dynamic_host', '%REQ(x-v)%'],
  ['envoy.upstream.dynamic_port', '%REQ(x-v)%'],
  ['envoy.network.ip', '%REQ(x-v)%'],
  ['envoy.network.network_namespace', '%REQ(x-v)%'],
  ['envoy.ratelimit.hits_addend', '%REQ(x-v)%'],
];
const VALUES = [
  'foo',
  '',
  'a,b',
  '1.2.3.4:80',
  '1.2.3.4',
  '[::1]:8080',
  '::1',
  '80',
  '70000',
  '-1',
  '4294967296',
  'true',
  'false',
  '1',
  'yes',
  'T',
];

const spread = (key: string): string[] =>
  Array.from({ length: 8 }, (_, i) => get(`x-v: ${key === 'address' ? `10.0.0.${i}:80` : `value-${i}`}`));
const hashed = (key: string): readonly object[] => [
  { match: { prefix: '/' }, route: { cluster: 'ring', hashPolicy: [{ filterState: { key } }] } },
];
const match = (key: string, more: object): object => ({ filterState: { key, ...more } });
const states = [get('x-v: foo'), get('x-v: '), get(), get('x-v: bar'), get('x-v: 10.1.2.3'), get('x-v: 10.1.2.3:80')];
const range = { addressMatch: { ranges: [{ addressPrefix: '10.0.0.0', prefixLen: 8 }] } };
const metadata = (config: object): object => ({
  name: 'envoy.filters.http.set_metadata',
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.set_metadata.v3.Config`, ...config },
});
const showMetadata = (...names: string[]): readonly object[] => [
  {
    ...direct({}, 'seen'),
    responseHeadersToAdd: names.map((name, i) => ({ header: { key: `x-${i}`, value: `%DYNAMIC_METADATA(${name})%` } })),
  },
];
const at = (metadataNamespace: string, value: object, allowOverwrite?: boolean): object => ({
  metadataNamespace,
  value,
  ...(allowOverwrite === undefined ? {} : { allowOverwrite }),
});

const CASES: readonly BesideCase[] = [
  ...KEYS.map((value): BesideCase => ({
    name: `${value[0]} ${JSON.stringify(value[2] ?? {})}`,
    filters: [http([value])],
    routes: show([value[0]]),
    ask: VALUES.map((v) => get(`x-v: ${v}`)),
  })),
  {
    name: 'empty, absent, skipped',
    filters: [
      http([
        ['a', '%REQ(x-v)%', STRING],
        ['b', '%REQ(x-v)%', { ...STRING, skipIfEmpty: true }],
      ]),
    ],
    routes: show(['a', 'b']),
    ask: states,
  },
  {
    name: 'omit what is empty',
    filters: [
      {
        name: 'envoy.filters.http.set_filter_state',
        typedConfig: {
          ...config([]),
          onRequestHeaders: [
            {
              objectKey: 'a',
              factoryKey: 'envoy.string',
              skipIfEmpty: true,
              formatString: { textFormatSource: { inlineString: '%REQ(x-v)%' }, omitEmptyValues: true },
            },
          ],
        },
      },
    ],
    routes: show(['a']),
    ask: states,
  },
  {
    name: 'the last stays',
    filters: [
      http([
        ['a', '1', { ...STRING, readOnly: true }],
        ['a', '2', STRING],
        ['b', '1', STRING],
        ['b', '2', { ...STRING, readOnly: true }],
        ['c', '1', STRING],
        ['c', '2', STRING],
        ['d', '1', { ...STRING, readOnly: true }],
        ['d', '2', { ...STRING, readOnly: true }],
        ['e', '%FILTER_STATE(c:PLAIN)%%FILTER_STATE(c)%', STRING],
      ]),
    ],
    routes: show(['a', 'b', 'c', 'd', 'e']),
    ask: [get()],
  },
  {
    name: 'places below add to the filter',
    filters: [
      http([
        ['a', 'filter', STRING],
        ['b', 'filter', STRING],
      ]),
    ],
    virtualHost: {
      typedPerFilterConfig: {
        'envoy.filters.http.set_filter_state': config([
          ['b', 'host', STRING],
          ['c', 'host', STRING],
          ['d', 'host', STRING],
        ]),
      },
    },
    routes: [
      {
        ...(show(['a', 'b', 'c', 'd'])[0] as object),
        typedPerFilterConfig: { 'envoy.filters.http.set_filter_state': config([['d', 'route', STRING]]) },
      },
    ],
    ask: [get()],
  },
  {
    name: 'of the connection',
    filters: [
      http([
        ['b', 'request', STRING],
        ['a', 'request', STRING],
      ]),
    ],
    network: [
      network([
        ['a', '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%', STRING],
        ['c', '%CONNECTION_ID%%REQ(x-v)%%PROTOCOL%', STRING],
      ]),
      network([['d', 'data', STRING]], 'onDownstreamData'),
      network([['e', 'shake', STRING]], 'onDownstreamTlsHandshake'),
    ],
    routes: show(['a', 'b', 'd', 'e']),
    ask: [get()],
  },
  {
    name: 'routes',
    filters: [http([['a', '%REQ(x-v)%', STRING]], { clearRouteCache: true })],
    routes: [
      direct({ filterState: [{ key: 'a', stringMatch: { exact: 'foo' } }] }, 'is foo'),
      direct({ filterState: [{ key: 'a', stringMatch: { prefix: 'b' } }] }, 'begins with b'),
      direct({ filterState: [{ key: 'a', stringMatch: { exact: '-' } }] }, 'is absent'),
      direct({ filterState: [{ key: 'a', stringMatch: { exact: '' } }] }, 'is empty'),
      direct({}, 'other'),
    ],
    ask: states,
  },
  {
    name: 'routes chosen before',
    filters: [http([['a', '%REQ(x-v)%', STRING]])],
    routes: [direct({ filterState: [{ key: 'a', stringMatch: { exact: 'foo' } }] }, 'is foo'), direct({}, 'other')],
    ask: states,
  },
  {
    name: 'routes by address',
    filters: [http([['envoy.network.ip', '%REQ(x-v)%']], { clearRouteCache: true })],
    routes: [direct({ filterState: [{ key: 'envoy.network.ip', ...range }] }, 'in'), direct({}, 'out')],
    ask: states,
  },
  {
    name: 'routes by address and port',
    filters: [
      http([['k', '%REQ(x-v)%', { factoryKey: 'envoy.filters.listener.original_dst.local_ip' }]], {
        clearRouteCache: true,
      }),
    ],
    routes: [direct({ filterState: [{ key: 'k', ...range }] }, 'in'), direct({}, 'out')],
    ask: states,
  },
  ...[
    'envoy.string',
    'envoy.network.upstream_server_name',
    'envoy.network.application_protocols',
    'envoy.tcp_proxy.disable_tunneling',
  ].map((factoryKey): BesideCase => ({
    name: `authorization by ${factoryKey}`,
    filters: [
      http([['k', '%REQ(x-v)%', { factoryKey }]]),
      rbac(match('k', { stringMatch: { safeRegex: { regex: 'foo|false' } } })),
    ],
    ask: states,
  })),
  {
    name: 'authorization by address',
    filters: [http([['k', '%REQ(x-v)%', { factoryKey: 'envoy.network.ip' }]]), rbac(match('k', range))],
    ask: states,
  },
  {
    name: 'authorization by nothing',
    filters: [rbac({ notId: match('k', { stringMatch: { exact: '' } }) })],
    ask: [get()],
  },
  ...['envoy.hashable_string'].map((factoryKey): BesideCase => ({
    name: `hashed ${factoryKey}`,
    filters: [http([['k', '%REQ(x-v)%', { factoryKey }]])],
    routes: hashed('k'),
    ask: spread('text'),
  })),
  {
    name: 'hashed address',
    filters: [http([['k', '%REQ(x-v)%', { factoryKey: 'envoy.network.transport_socket.original_dst_address' }]])],
    routes: hashed('k'),
    ask: spread('address'),
  },
  {
    name: 'metadata',
    filters: [
      metadata({ metadata: [at('a', { x: 1, l: [1], o: { p: 'q' } }), at('b', { s: 'text', n: null, f: 1.5 })] }),
      metadata({ metadata: [at('a', { y: 2 }), at('c', {})] }),
      metadata({ metadata: [at('b', { s: 'new', l: [2], o: { r: true } }, true)] }),
    ],
    routes: showMetadata('a', 'b', 'c', 'b:o:r', 'b:s'),
    ask: [get()],
  },
  {
    name: 'metadata joined',
    filters: [
      metadata({ metadata: [at('a', { x: 1, l: [1], o: { p: 'q', s: [1] }, t: 'old' })] }),
      metadata({ metadata: [at('a', { x: 'one', l: [2], o: { p: 1, s: [2] }, t: { u: 1 }, l2: 1 }, true)] }),
      metadata({ metadataNamespace: 'a', value: { z: [1], o: { k: 1 } } }),
      metadata({ metadataNamespace: 'd', value: { z: 1 }, metadata: [at('d', { z: 2 }), at('e', { z: 2 })] }),
    ],
    routes: showMetadata('a', 'd', 'e'),
    ask: [get()],
  },
];

let ring: readonly Echo[] = [];
let both: { readonly theirs: Observed; readonly ours: Observed };
beforeAll(async () => {
  ring = await Promise.all([0, 1, 2, 3].map((i) => startRaw(() => `HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n${i}`)));
  const lbEndpoints = ring.map(({ port }) => ({
    endpoint: { address: { socketAddress: { address: '127.0.0.1', portValue: port } } },
  }));
  const cluster = { lbPolicy: 'RING_HASH', loadAssignment: { clusterName: 'ring', endpoints: [{ lbEndpoints }] } };
  both = await observeBoth(
    CASES.map((one) => ({ ...one, more: { delayedCloseTimeout: '0s' } })),
    {
      clusters: { ring: ring[0]!.port },
      clusterOptions: { ring: cluster },
      logFormat: '%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %FILTER_STATE(a)% %FILTER_STATE(c:PLAIN):2%',
      statsFilter: 'rbac|set_metadata',
    },
  );
}, 60_000);
afterAll(() => Promise.all(ring.map((one) => one.stop())));

test.each(CASES.map(({ name }, i) => [name, i] as const))('%s', (_, i) => {
  expect(both.ours.answers[i]).toEqual(both.theirs.answers[i]);
});
test('access log', () => {
  expect(both.ours.log).toEqual(both.theirs.log);
});
test('counters', () => {
  expect(both.ours.stats).toEqual(both.theirs.stats);
});
