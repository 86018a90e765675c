import type { ManagerName } from './bootstrap.ts';
import { rawPath, type Case } from './cases.ts';

function to(manager: ManagerName, path: string, fields = '', extra: Partial<Case> = {}): Case {
  return {
    name: `${manager}: ${path} ${JSON.stringify(fields)}`,
    to: manager,
    send: [`GET ${path} HTTP/1.1\r\nHost: x:80\r\n${fields}\r\n`],
    ...extra,
  };
}
function raw(manager: ManagerName, name: string, ...send: string[]): Case {
  return { name: `${manager}: ${name}`, to: manager, send };
}

const FIELDS = [
  '',
  'X-Forwarded-For: 1.2.3.4\r\n',
  'X-Forwarded-For: 1.2.3.4, 10.0.0.1\r\n',
  'X-Forwarded-For: 10.0.0.1\r\n',
  'X-Forwarded-For: bad\r\n',
  'X-Forwarded-For: 10.0.0.1:99\r\n',
  'X-Forwarded-For: ::1\r\n',
  'X-Forwarded-For: \r\n',
  'X-Forwarded-For: 1.2.3.4,\r\n',
  'X-Forwarded-For: 1.2.3.4, 5.6.7.8 , 9.9.9.9\r\n',
  'X-Forwarded-Proto: https\r\n',
  'X-Forwarded-Proto: https, http\r\n',
  'X-Forwarded-Port: 1\r\nX-Forwarded-Host: h\r\n',
  'X-Request-Id: mine\r\n',
  'X-Request-Id: \r\n',
  'x-envoy-external-address: 1.1.1.1\r\nx-envoy-internal: true\r\nx-envoy-decorator-operation: a\r\nx-envoy-downstream-service-cluster: b\r\nx-envoy-downstream-service-node: c\r\nx-envoy-original-path: d\r\n',
  'X-Forwarded-For: 10.0.0.1\r\nx-envoy-max-retries: 1\r\nx-envoy-retry-on: 5xx\r\nx-envoy-upstream-rq-timeout-ms: 500\r\nx-envoy-upstream-rq-per-try-timeout-ms: 100\r\nx-envoy-upstream-alt-stat-name: a\r\nx-envoy-ip-tags: b\r\nx-envoy-force-trace: c\r\nx-envoy-original-url: d\r\nx-envoy-upstream-stream-duration-ms: 5000\r\nx-envoy-is-timeout-retry: e\r\nx-envoy-retriable-status-codes: 1\r\nx-envoy-hedge-on-per-try-timeout: f\r\nx-envoy-retriable-header-names: g\r\nx-envoy-upstream-rq-timeout-alt-response: h\r\nx-envoy-retry-grpc-on: cancelled\r\n',
  'x-envoy-max-retries: 1\r\nx-envoy-retry-on: 5xx\r\nx-envoy-upstream-rq-timeout-ms: 500\r\nx-envoy-upstream-alt-stat-name: a\r\nx-envoy-ip-tags: b\r\nx-envoy-force-trace: c\r\nx-envoy-original-url: d\r\nx-envoy-is-timeout-retry: e\r\nx-envoy-upstream-stream-duration-ms: 5000\r\n',
  'X-Forwarded-Client-Cert: By=a\r\n',
  'a_b: c\r\nd: e\r\n',
  'User-Agent: me\r\nVia: 1.1 you\r\n',
  'Referer: not a uri\r\n',
  'Referer: http://a/b?c\r\n',
  'Referer: http://a/b#c\r\n',
  'Referer: /path\r\n',
  'Referer: http://u@a/\r\n',
  'Referer: about:blank\r\n',
  'Referer: https://a:80\r\n',
  'Referer: https://a b/\r\n',
  'Referer: ftp://a/\r\n',
  'Grpc-Timeout: 1S\r\n',
  'X-Client-Trace-Id: a\r\ntraceparent: 00-1-2-01\r\nb3: 0\r\n',
];
const PATHS = [
  '/a/./b',
  '/a/../b',
  '/../../a',
  '/a/..',
  '/a/.',
  '/a//b',
  '//a',
  '/a///',
  '/a%2fb',
  '/a%5Cb',
  '/a\\b',
  '/%41%2e%2E/b',
  '/a%zz',
  '/a%',
  '/a%0',
  '/a%00',
  '/a?b=/../c//d%2f',
  '/a;b/../c',
  '/%7euser',
  '/a/%2e%2e/b',
  '/a/.%2e/b',
  '/...',
  '/a b',
  '/{}|^`"<>',
  '/a#b',
  '/%C3%A9',
  '/a/b/../../../c',
  '/a%2f..%2fb',
  '/.',
  '/..',
  '/a../b',
  '//',
  '///?a',
  '/a/.b',
];
const HOSTS = ['x', 'x:80', 'X:80', 'x.', 'x.:80', '[::1]', '[::1]:80', 'x:', 'x:a', 'x:99999', '1.2.3.4:80'];

export const EDGE_CASES: readonly Case[] = [
  ...(['edge', 'sidecar', 'old'] as const).flatMap((manager) => [
    ...FIELDS.map((fields) => to(manager, '/', fields)),
    ...PATHS.map((path) => to(manager, path)),
    ...HOSTS.map((host) => raw(manager, `host ${host}`, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)),
    raw(manager, 'absolute', 'GET https://y.com:80/a HTTP/1.1\r\nHost: x\r\n\r\n'),
    raw(
      manager,
      'answer with server',
      `GET /raw/${rawPath('HTTP/1.1 200 OK\r\nserver: app\r\nvia: a\r\nx-request-id: b\r\ncontent-length: 2\r\n\r\nhi')} HTTP/1.1\r\nHost: x\r\n\r\n`,
    ),
    to(manager, '/dead'),
    to(manager, '/nothing'),
    to(manager, '/direct'),
    raw(manager, 'bad request', 'GARBAGE\r\n\r\n'),
    raw(manager, '21 fields', `GET / HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(20)}\r\n`),
    raw(manager, '9 KiB', `GET / HTTP/1.1\r\nHost: x\r\na: ${'b'.repeat(9000)}\r\n\r\n`),
    raw(manager, 'expect', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n', 'abc'),
    raw(
      manager,
      'expect answered 100',
      `POST /raw/${rawPath('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi')} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc`,
    ),
  ]),

  { ...to('edge', '/', 'x-forwarded-for: 1.2.3.4\r\n'), name: 'edge: a client of this machine', from: '127.0.0.1' },

  // ---- spelling
  ...(['spelling', 'proper'] as const).flatMap((manager) => [
    raw(
      manager,
      'names',
      'GET / HTTP/1.1\r\nHOST: x\r\nX-thing: 1\r\nx-THING: 2\r\nContent-type: a\r\nx_y.z: 3\r\n\r\n',
    ),
    raw(manager, 'body', 'POST / HTTP/1.1\r\nhost: x\r\nTransfer-ENCODING: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'),
    to(manager, '/dead'),
    to(manager, '/redirect'),
    to(manager, '/direct'),
    raw(
      manager,
      'answer',
      `GET /raw/${rawPath('HTTP/1.1 200 OK\r\nServer: app\r\nX-THING: a\r\nContent-LENGTH: 2\r\n\r\nhi')} HTTP/1.1\r\nHost: x\r\n\r\n`,
    ),
  ]),
  ...[
    'x-envoy-upstream-rq-timeout-ms: abc',
    'x-envoy-max-retries: -1',
    'x-envoy-retry-on: 5xx,foo',
    'x-envoy-retry-grpc-on: bad',
    'x-envoy-max-retries: 3\r\nx-envoy-retry-on: 5xx,reset',
  ].map((fields) => to('spelling', '/', `x-forwarded-for: 10.0.0.1\r\n${fields}\r\n`)),

  // ---- timeouts that a trusted client asks for
  ...[
    'x-envoy-upstream-rq-timeout-ms: 100',
    'x-envoy-upstream-rq-per-try-timeout-ms: 100',
    'x-envoy-upstream-rq-timeout-ms: 1500\r\nx-envoy-upstream-rq-per-try-timeout-ms: 60\r\nx-envoy-retry-on: 5xx\r\nx-envoy-max-retries: 2',
    'x-envoy-expected-rq-timeout-ms: 100',
    'x-envoy-upstream-stream-duration-ms: 100',
    'x-envoy-upstream-rq-timeout-ms: bad',
  ].map((fields) => to('sidecar', '/hang/x', `x-forwarded-for: 10.0.0.1\r\n${fields}\r\n`, { wait: 1000 })),
  to('sidecar', '/status/503', 'x-forwarded-for: 10.0.0.1\r\nx-envoy-retry-on: 5xx\r\nx-envoy-max-retries: 4\r\n', {
    wait: 1500,
  }),
  to(
    'sidecar',
    '/status/418',
    'x-forwarded-for: 10.0.0.1\r\nx-envoy-retry-on: retriable-status-codes\r\nx-envoy-retriable-status-codes: 418\r\n',
    { wait: 700 },
  ),

  // ---- what the upstream is told of the time that is left
  ...(['plain', 'sidecar'] as const).flatMap((manager) => [
    to(manager, `/flaky/a/${manager}`, 'x-forwarded-for: 10.0.0.1\r\n', { wait: 900 }),
    to(
      manager,
      `/flaky/b/${manager}`,
      'x-forwarded-for: 10.0.0.1\r\nx-envoy-upstream-rq-per-try-timeout-ms: 20000\r\n',
      {
        wait: 900,
      },
    ),
    to(manager, `/flaky/c/${manager}`, 'x-forwarded-for: 10.0.0.1\r\nx-envoy-upstream-rq-timeout-ms: 0\r\n', {
      wait: 900,
    }),
    to(manager, `/flaky/stream/${manager}`, '', { wait: 900 }),
    ...['', 'grpc-timeout: 5S\r\n', 'grpc-timeout: 5000000u\r\n', 'grpc-timeout: 1H\r\n'].map((timeout, i) =>
      to(manager, `/flaky/grpc/${i}/${manager}`, `content-type: application/grpc\r\n${timeout}`, {
        wait: 900,
      }),
    ),
    to(manager, `/flaky/grpc/not/${manager}`, 'grpc-timeout: 5S\r\n', { wait: 900 }),
  ]),

  // ---- who the client is
  ...(['trusted', 'stranger'] as const).flatMap((manager) =>
    [
      '',
      '1.2.3.4',
      '1.2.3.4, 10.0.0.1',
      '1.2.3.4, 10.0.0.1,10.0.0.2',
      '10.0.0.1, 10.0.0.2',
      '1.2.3.4, 5.6.7.8, 10.0.0.1',
      'bad, 10.0.0.1',
      '1.2.3.4, bad, 10.0.0.1',
      '172.16.0.1',
      '172.16.0.1, 10.0.0.1',
      '10.0.0.1:99',
      '1.2.3.4,',
    ].map((list) => to(manager, '/', list === '' ? '' : `x-forwarded-for: ${list}\r\n`)),
  ),

  // ---- formats
  to('plain', '/formatted/text?a'),
  to('plain', '/formatted/json'),
  ...['', 'x-a: 1\r\nx-h: h:80\r\n', 'x-h: h\r\n', 'x-a: 1?b=c\r\n'].map((fields) =>
    to('plain', '/rewritten/format/x?q=1', fields),
  ),
  to('plain', '/', 'connection: upgrade\r\nupgrade: guarded\r\n'),

  // ---- retries
  ...['abc', 'abcdef'].map((body) => ({
    ...raw(
      'plain',
      `a body of ${body.length} to keep`,
      `POST /status/502 HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    ),
    wait: 800,
  })),
  to('plain', '/rewritten/format/y', 'x-h: \r\n'),
  ...['Retry-After: 1', 'Retry-After: 61', 'Retry-After: x', 'reset-at: 1', 'reset-at: 99999999999', ''].map((field) =>
    to(
      'plain',
      `/raw/${rawPath(`HTTP/1.1 503 X\r\n${field}${field === '' ? '' : '\r\n'}content-length: 2\r\n\r\nst`)}`,
      'x-limited: 1\r\n',
      { wait: 800 },
    ),
  ),
  to(
    'plain',
    `/raw/${rawPath('HTTP/1.1 200 OK\r\ngrpc-status: 14\r\ncontent-length: 2\r\n\r\nst')}`,
    'x-limited: 1\r\n',
    {
      wait: 800,
    },
  ),
  ...['', 'x-retry: no\r\n', 'x-retry: yes\r\n', 'x-retry: no\r\nx-envoy-retry-on: 5xx\r\n'].map((fields) =>
    to('sidecar', '/status/504', `x-forwarded-for: 10.0.0.1\r\n${fields}`, { wait: 800 }),
  ),
  to('plain', '/status/505'),
  ...[
    'x-envoy-retry-on: 5xx\r\nx-envoy-max-retries: 0',
    'x-envoy-retry-on: unavailable',
    'x-envoy-retry-grpc-on: 5xx',
    'x-envoy-retry-on: 5xx\r\nx-envoy-max-retries: x',
    'x-envoy-max-retries: 2',
    'x-envoy-retry-on: retriable-headers\r\nx-envoy-retriable-header-names: X-A, content-length',
    'x-envoy-retry-on: retriable-status-codes\r\nx-envoy-retriable-status-codes: x, 418 ,505',
  ].flatMap((fields) => [
    to('sidecar', '/status/418', `x-forwarded-for: 10.0.0.1\r\n${fields}\r\n`, { wait: 800 }),
    to('sidecar', '/status/505', `x-forwarded-for: 10.0.0.1\r\n${fields}\r\n`, { wait: 800 }),
  ]),
  ...['rq-timeout-ms: 100', 'rq-per-try-timeout-ms: 100'].map((field) =>
    to(
      'sidecar',
      '/hang/alt',
      `x-forwarded-for: 10.0.0.1\r\nx-envoy-upstream-${field}\r\nx-envoy-upstream-rq-timeout-alt-response: 1\r\n`,
      { wait: 800 },
    ),
  ),

  // ---- HTTP/1.0 and its relatives
  ...[
    'GET / HTTP/1.0\r\n\r\n',
    'GET / HTTP/1.0\r\nHost: x\r\n\r\n',
    'GET / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n',
    'HEAD / HTTP/1.0\r\nHost: x\r\n\r\n',
    'GET / HTTP/0.9\r\nHost: x\r\n\r\n',
    'GET / HTTP/1.2\r\nHost: x\r\n\r\n',
    'POST / HTTP/1.0\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc',
    'POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    'GET /dead HTTP/1.0\r\nHost: x\r\n\r\n',
    'GET /direct-empty HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n',
    `GET /raw/${rawPath('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n')} HTTP/1.0\r\nHost: x\r\n\r\n`,
    `GET /raw/${rawPath('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n')} HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n`,
  ].map((text) => raw('old', text.slice(0, 80), text)),

  // ---- trailers
  raw(
    'old',
    'trailers up',
    'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nFoo: bar\r\nBaz: q\r\n\r\n',
  ),
  raw(
    'old',
    'trailers down',
    `GET /raw/${rawPath('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nFoo: bar\r\n\r\n')} HTTP/1.1\r\nHost: x\r\n\r\n`,
  ),
  raw(
    'old',
    'both lengths',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  ),

  // ---- limits
  raw(
    'old',
    'three requests',
    'GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n',
  ),
  { ...raw('old', 'a head that never ends', 'GET / HTTP/1.1\r\nHost: x\r\n'), wait: 700 },
  {
    ...raw('old', 'a body that never ends', 'POST /hang HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc'),
    wait: 700,
  },
  { ...raw('old', 'nothing at all', ''), wait: 700 },
  { ...raw('old', 'half a line', 'GET / HT'), wait: 700 },
];
