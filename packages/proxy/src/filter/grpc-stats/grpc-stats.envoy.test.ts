/** Counts of gRPC calls and their messages beside real Envoy. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { routeTo } from '../../process/testing/bootstraps.ts';
import { observeBoth, startRaw, TYPE, type BesideCase, type Echo, type Observed } from '../testing/beside.ts';

const filter = (config: object): object => ({
  name: 'envoy.filters.http.grpc_stats',
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.grpc_stats.v3.FilterConfig`, ...config },
});
const message = (content: string, flags = 0): string =>
  String.fromCharCode(flags, 0, 0, content.length >> 8, content.length & 255) + content;
const chunk = (bytes: string): string => (bytes === '' ? '' : `${bytes.length.toString(16)}\r\n${bytes}\r\n`);
const chunks = (parts: readonly string[], trailers: readonly string[] = []): string =>
  [...parts.map(chunk), '0\r\n', ...trailers.map((field) => `${field}\r\n`), '\r\n'].join('');

const CHUNKED = 'transfer-encoding: chunked';
const GRPC = 'content-type: application/grpc';
const head = (first: string, ...fields: string[]): string => [first, ...fields, '', ''].join('\r\n');
const end = (json: string): string => message(json, 2);

/** What the upstream answers, by the `x-want` of the request. */
const ANSWERS: Readonly<Record<string, string>> = {
  ok: head('HTTP/1.1 200 OK', GRPC, CHUNKED) + chunks([message('hello')], ['grpc-status: 0']),
  several:
    head('HTTP/1.1 200 OK', 'content-type: application/grpc+proto', CHUNKED) +
    chunks([message('a') + message(''), message('x'.repeat(300)), '\0\0\0', '\0\x01', 'z'], ['grpc-status: 0']),
  broken: head('HTTP/1.1 200 OK', GRPC, CHUNKED) + chunks([message('a') + '\0\0\0'], ['grpc-status: 13']),
  flags: head('HTTP/1.1 200 OK', GRPC, CHUNKED) + chunks([message('a', 255) + message('b')], ['grpc-status: 0']),
  'flags-4': head('HTTP/1.1 200 OK', GRPC, CHUNKED) + chunks([message('a', 4) + message('b', 1)], ['grpc-status: 0']),
  failing: head('HTTP/1.1 200 OK', GRPC, CHUNKED) + chunks([], ['grpc-status: 7', 'grpc-message: no']),
  'trailers-only': head('HTTP/1.1 200 OK', GRPC, 'content-length: 0', 'grpc-status: 5'),
  'trailers-only-chunked': head('HTTP/1.1 200 OK', GRPC, CHUNKED, 'grpc-status: 5') + chunks([]),
  'head-and-trailers':
    head('HTTP/1.1 200 OK', GRPC, CHUNKED, 'grpc-status: 3') + chunks([message('a')], ['grpc-status: 0']),
  'no-status': head('HTTP/1.1 200 OK', GRPC, CHUNKED) + chunks([message('a')]),
  'other-trailers': head('HTTP/1.1 200 OK', GRPC, CHUNKED) + chunks([message('a')], ['x: y']),
  'length-status': head('HTTP/1.1 200 OK', GRPC, 'content-length: 6', 'grpc-status: 0') + message('a'),
  odd: head('HTTP/1.1 200 OK', GRPC, CHUNKED) + chunks([], ['grpc-status: odd.one']),
  high: head('HTTP/1.1 200 OK', GRPC, CHUNKED) + chunks([], ['grpc-status: 99']),
  padded: head('HTTP/1.1 200 OK', GRPC, CHUNKED) + chunks([], ['grpc-status: 00']),
  twice: head('HTTP/1.1 200 OK', GRPC, CHUNKED) + chunks([], ['grpc-status: 0', 'grpc-status: 0']),
  'twice-head': head('HTTP/1.1 200 OK', GRPC, 'content-length: 0', 'grpc-status: 0', 'grpc-status: 4'),
  '503': head('HTTP/1.1 503 No', GRPC, CHUNKED) + chunks([message('a')], ['grpc-status: 14']),
  html: head('HTTP/1.1 200 OK', 'content-type: text/html', CHUNKED) + chunks([message('a')], ['grpc-status: 0']),
  semicolon:
    head('HTTP/1.1 200 OK', 'content-type: application/grpc; x=y', CHUNKED) +
    chunks([message('a')], ['grpc-status: 0']),
  hangup: '',
  json: head('HTTP/1.1 200 OK', 'content-type: application/json', 'content-length: 2') + '{}',
  empty: head('HTTP/1.1 200 OK', 'content-length: 0'),
  '400': head('HTTP/1.1 400 No', 'content-type: application/json', 'content-length: 2') + '{}',
  ...Object.fromEntries(
    [
      '{}',
      '',
      '{"error":{"code":"internal"}}',
      '{"error":{}}',
      '{"error":1}',
      '{"error":null}',
      '{"error":""}',
      ' {"a":1,"b":{}} ',
      '{"a":1} x',
      '"{}"',
      'null',
      '{"error":{"code":1}}',
      '[]',
      '1',
      '{"metadata":{"a":["b"]}}',
      'nonsense',
    ].map((json, i) => [
      `stream-${i}`,
      head('HTTP/1.1 200 OK', 'content-type: application/connect+json', CHUNKED) +
        chunks([message('{}') + message('{}'), end(json).slice(0, 7), end(json).slice(7), message('after')]),
    ]),
  ),
  'stream-none': head('HTTP/1.1 200 OK', 'content-type: application/connect+json', CHUNKED) + chunks([message('{}')]),
  'stream-trailers':
    head('HTTP/1.1 200 OK', 'content-type: application/connect+json', CHUNKED) +
    chunks([message('{}'), end('{}')], ['x: y']),
  'stream-415': head('HTTP/1.1 415 No', 'content-type: application/connect+json', 'content-length: 0'),
  'stream-status':
    head('HTTP/1.1 200 OK', 'content-type: text/plain', CHUNKED, 'grpc-status: 0') + chunks([message('a'), end('{}')]),
};

const call = (want: string, type: string, path: string, body: readonly string[], ...fields: string[]): string =>
  head(`POST ${path} HTTP/1.1`, 'host: h', `content-type: ${type}`, CHUNKED, `x-want: ${want}`, ...fields) +
  chunks(body);
const METHOD = '/pkg.Service/Method';
const grpc = (want: string, path = METHOD, body = [message('in')]): string =>
  call(want, 'application/grpc', path, body);
const WANTED = Object.keys(ANSWERS).filter((want) => !want.startsWith('stream-'));
const STREAMS = Object.keys(ANSWERS).filter((want) => want.startsWith('stream-'));

const PATHS = [
  '/',
  '/one',
  '/pkg.Service/Method/more',
  '//pkg.Service//Method/',
  '/pkg.Service/Method?a=/b/c',
  '/pkg.Service/Other',
  '/other.Service/Method',
  '/a.b.c.Service/me.thod',
  '/a:b/c%20d',
];
const BODIES = [
  [],
  [message('')],
  [message('a'), message('b') + message('c')],
  ['\0', '\0', '\0', '\0', '\x02', 'a', 'b', '\0'],
  [message('x'.repeat(3000))],
  ['\0\0\0'],
  [message('a', 2), message('b')],
];
const requests = [
  ...WANTED.map((want) => grpc(want)),
  ...PATHS.map((path) => grpc('ok', path)),
  ...BODIES.map((body) => grpc('ok', METHOD, body)),
  ...[
    'application/grpc+proto',
    'application/grpc-web',
    'application/grpc;x',
    'application/grpc ',
    'APPLICATION/GRPC',
    'text/plain',
  ].map((type) => call('ok', type, METHOD, [message('in')])),
  head(`POST ${METHOD} HTTP/1.1`, 'host: h', GRPC, 'x-want: ok', 'content-length: 0'),
  head(`GET ${METHOD} HTTP/1.1`, 'host: h', GRPC, 'x-want: ok'),
  head(`POST ${METHOD} HTTP/1.1`, 'host: h', GRPC, CHUNKED, 'x-want: ok') + chunks([message('in')], ['x: y']),
  head(`POST ${METHOD} HTTP/1.1`, 'host: h', 'content-type: application/json', 'x-want: ok', 'content-length: 2') +
    '{}',
];
const connect = [
  ...STREAMS.map((want) => call(want, 'application/connect+json', METHOD, [message('in'), end('{}')])),
  call('stream-0', 'application/connect+json', '/only', [message('in')]),
  call('ok', 'application/connect+json', METHOD, [message('in')]),
  call('json', 'application/connect+json', METHOD, [message('in')]),
  ...['json', 'empty', '400', 'ok', 'hangup'].flatMap((want) => [
    call(want, 'application/json', METHOD, ['{}'], 'connect-protocol-version: 1'),
    call(want, 'application/grpc', METHOD, [message('in')], 'connect-protocol-version: 1'),
    call(want, 'application/connect+json', METHOD, [message('in')], 'connect-protocol-version: 1'),
  ]),
  call('json', 'application/json', '/only', ['{}'], 'connect-protocol-version: 1'),
  head(`GET ${METHOD} HTTP/1.1`, 'host: h', 'x-want: json', 'connect-protocol-version: 1'),
  head(`POST ${METHOD} HTTP/1.1`, 'host: h', CHUNKED, 'x-want: json', 'connect-protocol-version: 2') +
    chunks(['{}'], ['x: y']),
];

const allowlist = {
  individualMethodStatsAllowlist: {
    services: [
      { name: 'pkg.Service', methodNames: ['Method', 'Third'] },
      { name: 'a.b.c.Service', methodNames: ['me.thod'] },
    ],
  },
};
const CONFIGS: readonly object[] = [
  { emitFilterState: true },
  { statsForAllMethods: true, emitFilterState: true, enableUpstreamStats: true },
  { statsForAllMethods: true, replaceDotsInGrpcServiceName: true },
  { ...allowlist, replaceDotsInGrpcServiceName: true },
  { statsForAllMethods: false },
];
/** Each configuration has a cluster of its own, so that counts tell which went wrong. */
const clusterOf = (i: number): string => `grpc-${i}`;
const CASES: readonly BesideCase[] = [
  ...CONFIGS.map((config, i) => ({
    name: JSON.stringify(config),
    filters: [filter(config)],
    routes: [routeTo(clusterOf(i))],
    more: { httpProtocolOptions: { enableTrailers: true } },
    ask: [...requests, ...connect],
  })),
  {
    name: 'each request a method of its own',
    filters: [filter({ statsForAllMethods: true })],
    routes: [routeTo('each')],
    more: { httpProtocolOptions: { enableTrailers: true } },
    ask: [...requests, ...connect].map((text, i) => text.replace('pkg.Service/Method', `each/${i}`)),
  },
  {
    name: 'answers of its own, and clusters that are not there',
    filters: [filter({ statsForAllMethods: true, emitFilterState: true })],
    routes: [
      { match: { prefix: '/direct' }, directResponse: { status: 418, body: { inlineString: 'no' } } },
      { match: { prefix: '/gone' }, route: { clusterHeader: 'x-cluster' } },
      { match: { prefix: '/rewritten' }, route: { cluster: 'own', prefixRewrite: '/other' } },
      { match: { prefix: '/dead' }, route: { cluster: 'dead' } },
    ],
    ask: ['/direct/a', '/gone/a', '/rewritten/a', '/dead/a', '/nowhere/a'].flatMap((path) => [
      grpc('ok', path),
      call('ok', 'application/json', path, ['{}'], 'connect-protocol-version: 1'),
    ]),
  },
];

let upstream: Echo;
let both: { readonly theirs: Observed; readonly ours: Observed };
beforeAll(async () => {
  upstream = await startRaw((request) => ANSWERS[/\r\nx-want: (\S+)/i.exec(request)?.[1] ?? ''] ?? 'odd');
  const trailers = {
    typedExtensionProtocolOptions: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': `${TYPE}envoy.extensions.upstreams.http.v3.HttpProtocolOptions`,
        explicitHttpConfig: { httpProtocolOptions: { enableTrailers: true } },
      },
    },
  };
  const names = [...CONFIGS.map((_, i) => clusterOf(i)), 'own', 'each'];
  both = await observeBoth(CASES, {
    clusters: { ...Object.fromEntries(names.map((name) => [name, upstream.port])), dead: 1 },
    clusterOptions: Object.fromEntries(names.map((name) => [name, trailers])),
    logFormat: [
      '%REQ(:path)% %REQ(content-type)% %REQ(connect-protocol-version)% %REQ(x-want)% %RESPONSE_CODE% %GRPC_STATUS%',
      '%FILTER_STATE(envoy.filters.http.grpc_stats)%',
      '%FILTER_STATE(envoy.filters.http.grpc_stats:PLAIN)%',
      '%FILTER_STATE(envoy.filters.http.grpc_stats:FIELD:request_message_count)%',
    ].join(' '),
    statsFilter: '\\.grpc\\.',
    pages: ['/stats/prometheus?filter=\\.grpc\\.'],
    // So that what was measured is there at once.
    bootstrap: { statsFlushOnAdmin: true },
  });
}, 120_000);
afterAll(() => upstream.stop());

test.each(CASES.map(({ name }, i) => [name, i] as const))('answers: %s', (_, i) => {
  expect(both.ours.answers[i]).toEqual(both.theirs.answers[i]);
});
test.each(CASES.map(({ name }, i) => [name, i] as const))('log lines: %s', (_, i) => {
  const of = ({ log }: Observed): string[] => log.filter((line) => line.startsWith(`LOG ${i} `));
  expect(of(both.theirs)).toHaveLength(CASES[i]!.ask.length);
  expect(of(both.ours)).toEqual(of(both.theirs));
});
test.each([...CONFIGS.map((_, i) => clusterOf(i)), 'each', 'own', 'dead'])('counters of %s', (cluster) => {
  const of = ({ stats }: Observed): object =>
    Object.fromEntries(Object.entries(stats).filter(([name]) => name.startsWith(`cluster.${cluster}.`)));
  expect(Object.keys(of(both.theirs)).length).toBeGreaterThan(1);
  expect(of(both.ours)).toEqual(of(both.theirs));
});

test('names and labels for Prometheus, and how many times were measured', () => {
  const of = ({ pages }: Observed): string[] =>
    pages[0]!
      .split('\n')
      .filter((line) => !/_(?:bucket|sum)\{/.test(line) && line !== '')
      .toSorted();
  expect(of(both.theirs).filter((line) => line.includes('upstream_rq_time_count')).length).toBeGreaterThan(3);
  expect(of(both.ours)).toEqual(of(both.theirs));
});
