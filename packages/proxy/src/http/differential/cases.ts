import type { ManagerName } from './bootstrap.ts';

/** Bytes that a client sends, to be answered alike by Envoy and by this proxy. */
export interface Case {
  readonly name: string;
  /** The connection manager that gets them; `plain` unless told. */
  readonly to?: ManagerName;
  /** The client's address, where it matters; of no other case. */
  readonly from?: string;
  /** Sent one after the other, with a pause between. */
  readonly send: readonly string[];
  /** The client half-closes after the last. */
  readonly end?: boolean;
  /** Milliseconds to wait for the answer. */
  readonly wait?: number;
  /** What differs on purpose, and why. */
  readonly differs?: { readonly what: 'log' | 'closed' | 'all'; readonly why: string };
}

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: x\r\n';
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
const LONG = (length: number): string => `X-Long: ${'a'.repeat(length)}\r\n`;

/** Bytes for the backend, without escaped slashes, which some connection managers refuse. */
export function rawPath(bytes: string): string {
  return encodeURIComponent(bytes.replaceAll('/', '!'));
}

function one(name: string, ...send: string[]): Case {
  return { name, send };
}
function get(path: string, fields = '', extra: Partial<Case> = {}): Case {
  return { name: `GET ${path} ${fields.trim()}`, send: [`GET ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`], ...extra };
}
function field(text: string): Case {
  return one(`field ${JSON.stringify(text)}`, `${GET}${text}\r\n\r\n`);
}
function target(text: string, method = 'GET'): Case {
  return one(`${method} ${text}`, `${method} ${text} HTTP/1.1\r\nHost: x\r\n\r\n`);
}
function chunks(text: string): Case {
  return one(`chunks ${JSON.stringify(text.slice(0, 60))}`, CHUNKED + text);
}
/** The backend answers with these bytes. */
function answer(bytes: string, method = 'GET'): Case {
  return one(
    `answer ${method} ${JSON.stringify(bytes.slice(0, 80))}`,
    `${method} /raw/${rawPath(bytes)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  );
}

export const CASES: readonly Case[] = [
  one('plain', `${GET}\r\n`),
  one('bare LF', 'GET / HTTP/1.1\nHost: x\nA: b\n\n'),
  one('empty lines first', `\r\n\n${GET}\r\n`),
  one('a blank first', ` ${GET}\r\n`),
  one('no host', 'GET / HTTP/1.1\r\n\r\n'),
  one('two hosts', `${GET}Host: y\r\n\r\n`),
  one('empty host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'),
  ...['x y', 'x<y', 'a@b', 'x:80', '[::1]:80', 'x/y', 'x%20', 'x"', 'x\\y'].map((host) =>
    one(`host ${host}`, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
  ),
  ...[
    'A : b',
    'Ab',
    ': b',
    'A@: b',
    'A\xe9: b',
    'A(: b',
    'A_b: b',
    'A b: c',
    ':path: b',
    'A: b\0c',
    'A: b\x01c',
    'A: b\x7fc',
    'A: b\xe9c',
    'A: b\tc',
    'A: b\rc',
    'A:   ',
    'A: \t b \t ',
    'A: b\r\n  c\r\n\td\r\nE: f',
    'A: b\r\n  \r\nE: f',
    'A:\r\n b\r\nE: f',
  ].map(field),
  one('a folded first field', 'GET / HTTP/1.1\r\n A: b\r\nHost: x\r\n\r\n'),

  // ---- lengths and encodings
  one('both lengths', `${POST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
  ...[
    'gzip',
    'gzip, chunked',
    'identity',
    'CHUNKED',
    'chunked\r\nTransfer-Encoding: chunked',
    '',
    'chunked;q=1',
    ' chunked ',
  ].map((te) => one(`transfer-encoding ${JSON.stringify(te)}`, `${POST}Transfer-Encoding: ${te}\r\n\r\n0\r\n\r\n`)),
  one('chunked on GET', `${GET}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`),
  ...[
    '3\r\nContent-Length: 3',
    '3\r\nContent-Length: 4',
    '3, 3',
    '+3',
    '-1',
    '',
    '0x3',
    '003',
    '99999999999999999999',
    '3 3',
    '3\t',
    '1_0',
    '3.0',
    '3e0',
  ].map((length) => one(`content-length ${JSON.stringify(length)}`, `${POST}Content-Length: ${length}\r\n\r\nabc`)),
  one('length on GET', `${GET}Content-Length: 3\r\n\r\nabc`),
  one('no body', `${POST}\r\n`),
  one('length zero', `${POST}Content-Length: 0\r\n\r\n`),
  chunks('3;a=b\r\nabc\r\n0\r\n\r\n'),
  chunks('3 ; a="b\r\nabc\r\n0\r\n\r\n'),
  chunks('3 \r\nabc\r\n0\r\n\r\n'),
  chunks('3\t\r\nabc\r\n0\r\n\r\n'),
  chunks(' 3\r\nabc\r\n0\r\n\r\n'),
  chunks('3\nabc\n0\n\n'),
  chunks('3\r\nabcX\r\n0\r\n\r\n'),
  chunks('3\r\nabcdef\r\n0\r\n\r\n'),
  chunks('g\r\nabc\r\n0\r\n\r\n'),
  chunks('3g\r\nabc\r\n0\r\n\r\n'),
  chunks('3,\r\nabc\r\n0\r\n\r\n'),
  chunks('3=\r\nabc\r\n0\r\n\r\n'),
  chunks('\r\nabc\r\n0\r\n\r\n'),
  chunks('0x3\r\nabc\r\n0\r\n\r\n'),
  chunks('A\r\n0123456789\r\n0\r\n\r\n'),
  chunks('0003\r\nabc\r\n000\r\n\r\n'),
  chunks('ffffffffffffffff1\r\nabc\r\n0\r\n\r\n'),
  chunks('-3\r\nabc\r\n0\r\n\r\n'),
  chunks('3 4\r\nabc\r\n0\r\n\r\n'),
  chunks('3;\x01\r\nabc\r\n0\r\n\r\n'),
  chunks('3\r\nabc\n0\r\n\r\n'),
  chunks('3;a\nabc\r\n0\r\n\r\n'),
  chunks('3\r\nabc\r\n0\r\n\n'),
  chunks('3\r\nabc\r\n0\n\r\n'),
  chunks('3\r\nabc\r\n0\r\nA: b\n\n'),
  chunks('3\r\nabc\r\n0\r\nFoo: bar\r\n\r\n'),
  chunks('3\r\nabc\r\n0\r\nFoo bar\r\n\r\n'),
  chunks('3\r\nabc\r\n0\r\nF@: bar\r\n\r\n'),
  chunks('3\r\nabc\r\n0\r\nF: b\x01ar\r\n\r\n'),
  chunks('3\r\nabc\r\n0\r\nContent-Length: 4\r\n\r\n'),
  chunks(`3\r\nabc\r\n0\r\n${LONG(70_000)}\r\n`),
  { name: 'chunks in pieces', send: [CHUNKED, '3\r', '\nabc', '\r', '\n0\r\n', '\r', '\n'] },

  // ---- request lines
  ...[
    'HTTP/1.2',
    'HTTP/2.0',
    'HTTP/0.9',
    'HTTP/1.0',
    'HTTP/1.',
    'HTTP/1.10',
    'http/1.1',
    'FOO/1.1',
    'HTTP/1.1 x',
    'HTTP/1.1 ',
  ].map((version) => one(`version ${version}`, `GET / ${version}\r\nHost: x\r\n\r\n`)),
  one('no version', 'GET /\r\nHost: x\r\n\r\n'),
  one('two blanks', 'GET  /  HTTP/1.1\r\nHost: x\r\n\r\n'),
  one('tabs', 'GET\t/\tHTTP/1.1\r\nHost: x\r\n\r\n'),
  ...[
    '/a b',
    '/a\x01b',
    '/a\xe9b',
    '/a#b',
    '/a?b#c',
    '*',
    'abc',
    'http://y.com:80/abc?d',
    'http://y.com',
    'https://y.com/',
    'ftp://y.com/',
    'http://y.com?a=b',
    'http://u:p@y.com/',
    'http:///abc',
    'HTTP://y.com/',
    'http://y.com/#f',
    '//x/y',
    '/a/../b//c/%2e%2e/%2F%5c/\\d',
    '/%zz',
    '/%00',
    '/"<>|{}^`',
    '?a',
    '',
  ].map((t) => target(t)),
  one('an absolute target without Host', 'GET http://y.com/ HTTP/1.1\r\n\r\n'),
  target('*', 'OPTIONS'),
  ...['get', 'FOOBAR', 'GE@T', "!#$%&'*+-.^_`|~", 'M-SEARCH', 'MSEARCH', 'PRI', 'QUERY'].map((method) =>
    target('/', method),
  ),
  ...['OPTIONS', 'DELETE', 'TRACE', 'PUT', 'PATCH', 'PROPFIND', 'HEAD'].map((method) => target('/', method)),

  // ---- pieces
  one('a TLS hello', '\x16\x03\x01'),
  one('one bad line', 'GARBAGE\r\n'),
  one('a bad protocol', 'GET / FOO/1.1\r\n'),
  one('half a bad method', 'GE@'),
  one('a bad field and no end', 'GET / HTTP/1.1\r\nA : b\r\n'),
  { name: 'cut off', send: ['GET / HT'], end: true },
  { name: 'nothing', send: [''], end: true },
  { name: 'in pieces', send: ['G', 'ET / HTTP/1.1\r', '\nHo', 'st: x\r\nA', ': b', '\r\n\r', '\n'] },

  // ---- connection
  one('two at once', `${GET}\r\n${GET}A: 2\r\n\r\n`),
  one('a good one and a bad one', `${GET}\r\nGARBAGE\r\n\r\n`),
  one('a body and another', `${POST}Content-Length: 3\r\n\r\nabc${GET}B: 1\r\n\r\n`),
  ...[
    'close',
    'Close',
    'keep-alive',
    'close, foo',
    'keep-alive, close',
    'foo\r\nFoo: bar',
    'keep-alive, foo\r\nFoo: bar',
    'te\r\nTE: trailers',
    'te\r\nTE: trailers, gzip',
    'x-forwarded-for, host\r\nX-Forwarded-For: 1.2.3.4',
    'x-forwarded-for',
    'x-forwarded-host\r\nx-forwarded-host: a',
    ':path',
    'content-length',
    '',
    'a b, c\r\nc: 1',
    'cookie\r\ncookie: a=b',
  ].map((tokens) => field(`Connection: ${tokens}`)),
  field('Proxy-Connection: close'),
  field('Proxy-Connection: keep-alive'),
  field('TE: gzip'),
  field('TE: trailers, deflate'),
  field('Keep-Alive: 5\r\nTrailer: x'),
  field('Proxy-Authorization: a\r\nProxy-Authenticate: b'),
  { name: 'expect', send: [`${POST}Content-Length: 3\r\nExpect: 100-continue\r\n\r\n`, 'abc'] },
  one('expect with the body', `${POST}Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc`),
  one('expect something else', `${POST}Content-Length: 3\r\nExpect: foo\r\n\r\nabc`),
  field('Expect: 100-continue'),
  field('Expect: 100-Continue'),

  one(
    'an upgrade nobody asked for',
    `GET /raw/${rawPath('HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')} HTTP/1.1\r\nHost: x\r\n\r\n`,
  ),

  // ---- upgrades
  {
    name: 'websocket',
    send: [`GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, 'hello', 'there'],
    differs: { what: 'log', why: 'a tunnel is half-closed here' },
  },
  {
    name: 'websocket with payload',
    send: [
      `GET /ws HTTP/1.1\r\nHost: x\r\nAccept: a\r\nUpgrade: websocket\r\nA: b\r\nConnection: keep-alive, Upgrade\r\n\r\nnow`,
      'there',
    ],
    differs: { what: 'log', why: 'a tunnel is half-closed here' },
  },
  one('websocket refused', `GET /status/404 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`),
  one('websocket answered 200', `${GET}Connection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n`),
  ...[401, 500, 204].map((status) =>
    one(
      `websocket answered ${status}`,
      `GET /status/${status} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    ),
  ),
  ...['foo', 'foo:80/x', '*', 'http://foo:80', 'u@foo:80', ':80', 'foo:', 'foo:99999', 'foo?', 'a*b:80'].map((t) =>
    target(t, 'CONNECT'),
  ),
  one('QUERY with content', 'QUERY / HTTP/1.1\r\nHost: x\r\nContent-Type: a\r\nContent-Length: 3\r\n\r\nabc'),
  one(
    'websocket redirected',
    `GET /status/302 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  ),
  field('Connection: upgrade\r\nUpgrade: foo'),
  field('Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA'),
  field('Upgrade: websocket'),
  field('Connection: upgrade'),
  {
    name: 'connect',
    send: ['CONNECT foo:80 HTTP/1.1\r\nHost: foo:80\r\n\r\n', 'GET / HTTP/1.1\r\nHost: y\r\n\r\n'],
    differs: { what: 'log', why: 'a tunnel is half-closed here' },
  },
  {
    name: 'connect with payload',
    send: ['CONNECT foo:80 HTTP/1.1\r\nHost: foo:80\r\n\r\nGET / HTTP/1.1\r\nHost: y\r\n\r\n'],
    differs: { what: 'log', why: 'a tunnel is half-closed here' },
  },
  target('/', 'CONNECT'),
  one('connect with a length', 'CONNECT y:80 HTTP/1.1\r\nHost: y:80\r\nContent-Length: 3\r\n\r\n'),
  one('connect chunked', 'CONNECT y:80 HTTP/1.1\r\nHost: y:80\r\nTransfer-Encoding: chunked\r\n\r\n'),

  // ---- sizes
  one('a long field', `${GET}${LONG(59_000)}\r\n`),
  one('just not too long', `${GET}X: ${'a'.repeat(60 * 1024 - GET.length - 7)}\r\n\r\n`),
  one('just too long', `${GET}X: ${'a'.repeat(60 * 1024 - GET.length - 6)}\r\n\r\n`),
  one('a field without end', GET + LONG(70_000)),
  one('a long path', `GET /${'a'.repeat(70_000)} HTTP/1.1\r\nHost: x\r\n\r\n`),
  one('100 fields', `${GET}${'a: b\r\n'.repeat(99)}\r\n`),
  one('101 fields', `${GET}${'a: b\r\n'.repeat(100)}\r\n`),

  // ---- fields
  one('host is first', 'GET / HTTP/1.1\r\nA: b\r\nHost: x\r\nAccept: c\r\n\r\n'),
  field(
    'A: b\r\nC: d\r\na: e\r\nCookie: a\r\ncookie: b\r\nAccept: 1\r\naccept: 2\r\nx-forwarded-for: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\nuser-agent: a\r\nuser-agent: b',
  ),
  field(
    'X-Request-Id: abc\r\nX-Forwarded-Proto: https\r\nx-envoy-upstream-rq-timeout-ms: 100\r\nx-envoy-max-retries: 3\r\nx-envoy-foo: 1\r\nx-envoy-internal: true\r\nx-envoy-original-path: /p',
  ),
  field(
    'X-Forwarded-For: 10.0.0.1\r\nx-envoy-upstream-rq-timeout-ms: 100\r\nx-envoy-expected-rq-timeout-ms: 5\r\nx-envoy-internal: true',
  ),
  field('X-Forwarded-For: 10.0.0.1, 1.2.3.4'),
  field('X-Forwarded-Proto: foo'),
  field('x-forwarded-client-cert: abc\r\nvia: 1.1 foo\r\nforwarded: for=a'),
  field('Content-Type: a\r\nContent-Type: b\r\nVary: a\r\nReferer: http://a\r\nAuthorization: x\r\nauthorization: y'),

  // ---- responses
  ...[
    'HTTP/1.1 200 OK',
    'HTTP/1.1 200',
    'HTTP/1.1 200 ',
    'HTTP/1.1 299 Fine',
    'HTTP/1.1 999 Fine',
    'HTTP/1.1 99 Fine',
    'HTTP/1.1 abc',
    'HTTP/1.0 200 OK',
    'HTTP/1.2 200 OK',
    'HTTX/1.1 200 OK',
    'HTTP/1.1  200  OK',
    'HTTP/1.1 418 x',
    'HTTP/1.1 503 X',
    'HTTP/1.1 20 OK',
  ].map((line) => answer(`${line}\r\ncontent-length: 3\r\n\r\nabc`)),
  answer(
    'HTTP/1.1 200 OK\r\ncontent-length: 3\r\nDate: foo\r\nServer: bar\r\nX-Envoy-Upstream-Service-Time: 7\r\n\r\nabc',
  ),
  answer('garbage\r\n\r\n'),
  { ...answer('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc\0end'), wait: 1500 },
  answer('HTTP/1.1 200 OK\r\n\r\nabc\0end'),
  answer('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'),
  answer('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nFoo: bar\r\n\r\n'),
  answer('HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nabc'),
  answer('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n'),
  answer('HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 3\r\n\r\nabc'),
  answer('HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\nabc'),
  answer('HTTP/1.1 204 No Content\r\n\r\n'),
  answer('HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n'),
  answer('HTTP/1.1 204 No Content\r\ncontent-length: 3\r\n\r\n'),
  answer('HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'),
  answer('HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n'),
  answer('HTTP/1.1 304 Not Modified\r\n\r\n'),
  answer('HTTP/1.1 205 Reset\r\n\r\n\0end'),
  answer('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'),
  answer('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n', 'HEAD'),
  answer('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', 'HEAD'),
  answer('HTTP/1.1 200 OK\r\n\r\n', 'HEAD'),
  answer('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc'),
  answer('HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc'),
  answer('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 3\r\n\r\nabc'),
  answer(
    'HTTP/1.1 200 OK\r\nconnection: foo\r\nfoo: bar\r\nkeep-alive: 5\r\nproxy-connection: a\r\nupgrade: h2c\r\ntrailer: x\r\nte: a\r\ncontent-length: 3\r\n\r\nabc',
  ),
  answer('HTTP/1.1 200 OK\r\nA : b\r\ncontent-length: 3\r\n\r\nabc'),
  answer('HTTP/1.1 200 OK\r\nA: b\r\n c\r\ncontent-length: 3\r\n\r\nabc'),
  answer('HTTP/1.1 200 OK\nA: b\nSet-Cookie: a\nset-cookie: b\nx: 1\nvary: a\nvary: b\nx: 2\ncontent-length: 3\n\nabc'),
  answer('HTTP/1.1 200 OK\r\nA@: b\r\ncontent-length: 3\r\n\r\nabc'),
  answer('HTTP/1.1 200 OK\r\nA: b\x01\r\ncontent-length: 3\r\n\r\nabc'),
  answer('HTTP/1.1 200 OK\r\nnocolon\r\ncontent-length: 3\r\n\r\nabc'),
  answer('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcdef'),
  answer(
    'HTTP/1.1 200 OK\r\nx-request-id: 4\r\nx-envoy-degraded: 1\r\nx-envoy-attempt-count: 4\r\ncontent-length: 3\r\n\r\nabc',
  ),
  answer(`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(101)}content-length: 3\r\n\r\nabc`),

  // ---- routing and failures
  get('/dead'),
  get('/dead', 'connection: close\r\n'),
  one('HEAD /dead', 'HEAD /dead HTTP/1.1\r\nHost: x\r\n\r\n'),
  one('gRPC /dead', 'POST /dead HTTP/1.1\r\nHost: x\r\ncontent-type: application/grpc\r\ncontent-length: 0\r\n\r\n'),
  one('POST /dead', 'POST /dead HTTP/1.1\r\nHost: x\r\ncontent-length: 3\r\n\r\nabc'),
  get('/retry-dead'),
  get('/empty'),
  get('/nocluster'),
  get('/over'),
  get('/nothing'),
  one('HEAD /nothing', 'HEAD /nothing HTTP/1.1\r\nHost: x\r\n\r\n'),
  get('/redirect?a=b'),
  get('/direct'),
  get('/direct-empty'),
  get('/hang/timeout', '', { wait: 600 }),
  get('/partial/timeout', '', { wait: 1600 }),
  get('/hang/try', '', { wait: 900 }),
  get('/hang/idle', '', { wait: 600 }),
  get('/hang/duration', '', { wait: 600 }),
  ...[200, 404, 409, 500, 503].map((status) => get(`/status/${status}`, '', { wait: 700 })),
  get('/reset'),
  get('/reset/retry', '', { wait: 700 }),
  get('/close'),
  get('/partial/close', '', { wait: 1500 }),
  get('/partial/reset', '', { wait: 1500 }),
  get('/prefix/q?a=b', 'x-gone: 1\r\nx-kept: 2\r\n'),
  one('an early answer', 'POST /early HTTP/1.1\r\nHost: x\r\ncontent-length: 10\r\n\r\nabc'),
  one('an early answer to chunks', 'POST /early HTTP/1.1\r\nHost: x\r\ntransfer-encoding: chunked\r\n\r\n'),
  { ...get('/hang/gone'), end: true },
];
