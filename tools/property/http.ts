/**
 * Random HTTP/1 traffic through random options of the connection manager: raw bytes of requests and of answers, most of them
 * a little wrong. Mizzen's proxy and Envoy must do the same with them in all that the conformance suite observes.
 */
import { readCases, type Case } from '../../conformance/case.ts';
import type { Difference } from '../../conformance/compare.ts';
import { run } from '../../conformance/run.ts';
import { parseRequest, type Request } from '../../conformance/request.ts';
import { Random } from '../fuzz/random.ts';

const METHODS = [
  'GET',
  'GET',
  'GET',
  'POST',
  'POST',
  'HEAD',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'PROPFIND',
  'TRACE',
  'CONNECT',
  'get',
  'G T',
];
const TARGETS = [
  '/',
  '/a/b',
  '/a//b',
  '/a/./b',
  '/a/../b',
  '/a/..',
  '/../a',
  '/%61',
  '/a%2Fb',
  '/a%2fb',
  '/a%5Cb',
  '/a\\b',
  '/a;x=1',
  '/a#f',
  '/?q',
  '/?a=1&b=2',
  '/a?b#c',
  '*',
  'a',
  '',
  '//',
  '///a',
  'http://h/x',
  'http://h',
  'http://h?q',
  'http://h:81/x',
  'https://h/x',
  'HTTP://h/x',
  'http:///x',
  'http://u@h/x',
  'ftp://h/',
  '/%',
  '/%zz',
  '/%00',
  '/é',
  '/a b',
  '/a\tb',
  '/\x7f',
  '/"<>',
  'h:80',
  '/a|b',
  '/a{b}',
  '/%2e%2e/a',
  '/a/%2E%2e/b',
  '/a/%2e/b',
  '/.%2e/',
  '?a',
  '/a?b=%20c',
  '/a/b/',
  '/' + 'x'.repeat(300),
];
const VERSIONS = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/0.9',
  'http/1.1',
  'HTTP/1',
  'HTTP/11',
  '',
];
const HOSTS = [
  'test',
  'test',
  'test',
  'TEST',
  'test:80',
  'test:443',
  'test:x',
  'test.',
  '[::1]',
  '[::1]:80',
  '',
  'a b',
  'a/b',
  'u@h',
  'test, test',
  'té',
  'a_b',
  'a%b',
  '1.2.3.4',
  ':80',
  'test:',
  'test:99999',
];
const FIELDS: readonly (readonly [string, readonly string[]])[] = [
  [
    'Connection',
    [
      'close',
      'keep-alive',
      'Close',
      'close, x-a',
      'x-a',
      'upgrade',
      'keep-alive, close',
      'TE',
      'te, close',
      'Host',
      'Content-Length',
      '',
      'upgrade, http2-settings',
      'proxy-connection',
      ',',
      ' , x-a,',
    ],
  ],
  ['Proxy-Connection', ['close', 'keep-alive']],
  ['Keep-Alive', ['timeout=5', '300']],
  ['TE', ['trailers', 'gzip', 'trailers, gzip', 'trailers;q=0.5', 'chunked']],
  ['Upgrade', ['websocket', 'h2c', 'foo', 'TLS/1.0', 'WebSocket', 'h2c, websocket']],
  ['Expect', ['100-continue', '100-Continue', 'x', '100-continue, x']],
  ['X-Forwarded-For', ['1.2.3.4', '1.2.3.4, 10.0.0.1', 'x', '', '1.2.3.4,5.6.7.8', '::1', '10.0.0.1:80', '1.2.3.4, ']],
  ['X-Forwarded-Proto', ['https', 'http', 'HTTPS', 'x', '', 'https,http']],
  ['X-Forwarded-Host', ['h', '']],
  ['X-Request-Id', ['abc', '11111111-1111-4111-9111-111111111111', '']],
  ['X-Envoy-Original-Path', ['/o']],
  ['X-Envoy-Internal', ['true']],
  ['X-Envoy-Upstream-Rq-Timeout-Ms', ['100', 'x', '0']],
  ['X-Envoy-Max-Retries', ['2']],
  ['X-Envoy-Retry-On', ['5xx', 'reset', 'gateway-error']],
  ['X-A', ['1', '2', '', ' 1 ', '\t1\t', '1, 2', 'é', '\x01', 'a\x7fb', '"q"', 'a\tb', 'x'.repeat(200)]],
  ['x-a', ['3', '']],
  ['x_a', ['1']],
  ['X A', ['1']],
  ['X-A ', ['1']],
  [' X-A', ['1']],
  ['', ['1']],
  ['X@A', ['1']],
  ['X(A)', ['1']],
  ['Xé', ['1']],
  ['Cookie', ['a=1', 'a=1; b=2', '', 'c']],
  ['Accept', ['*/*']],
  ['Authorization', ['Basic x']],
  ['Cache-Control', ['no-cache']],
  ['If-None-Match', ['"x"']],
  ['If-Modified-Since', ['y']],
  ['Origin', ['https://a']],
  ['Referer', ['https://a/b', 'x', 'http://a/#f']],
  ['Pragma', ['p']],
  ['Range', ['bytes=0-1']],
  ['Access-Control-Request-Method', ['GET']],
  ['Access-Control-Request-Headers', ['x']],
  ['Content-Encoding', ['gzip']],
  ['Grpc-Timeout', ['1S', '100m', 'x', '5H']],
  ['Grpc-Accept-Encoding', ['gzip']],
  ['X-Client-Trace-Id', ['c']],
  ['X-Envoy-Force-Trace', ['true']],
  ['X-Envoy-Decorator-Operation', ['op']],
  ['X-Envoy-Downstream-Service-Cluster', ['c']],
  ['X-Envoy-Downstream-Service-Node', ['n']],
  ['X-Envoy-Expected-Rq-Timeout-Ms', ['1']],
  ['X-Envoy-External-Address', ['1.1.1.1']],
  ['X-Envoy-Ip-Tags', ['t']],
  ['X-Envoy-Hedge-On-Per-Try-Timeout', ['true']],
  ['X-Envoy-Attempt-Count', ['7']],
  ['X-Envoy-Upstream-Alt-Stat-Name', ['a']],
  ['X-Envoy-Retriable-Status-Codes', ['404']],
  ['X-Envoy-Upstream-Rq-Per-Try-Timeout-Ms', ['50']],
  ['X-Envoy-Original-Host', ['o']],
  ['X-Forwarded-Port', ['81', 'x']],
  ['X-Forwarded-Client-Cert', ['By=x']],
  ['Traceparent', ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01']],
  ['Early-Data', ['1']],
  ['User-Agent', ['ua', '']],
  ['Accept-Encoding', ['gzip']],
  ['Content-Type', ['application/grpc', 'application/json', 'application/grpc-web', 'application/grpc+proto']],
  ['Trailer', ['x-t']],
  ['Via', ['1.1 x']],
  ['Server', ['x']],
  ['Date', ['x']],
  ['Host', ['other', 'test']],
  [':method', ['GET']],
  [':path', ['/x']],
  [':authority', ['x']],
  [
    'Content-Length',
    ['0', '3', '5', '03', '+3', '-1', '3 ', '3, 3', '3,4', '', 'x', '18446744073709551616', '0x3', '3;'],
  ],
  [
    'Transfer-Encoding',
    [
      'chunked',
      'Chunked',
      'CHUNKED',
      'identity',
      'gzip',
      'gzip, chunked',
      'chunked, gzip',
      'chunked, chunked',
      'chunked ',
      ' chunked',
      '',
      'x',
      'chunked;q=1',
      ',chunked',
      'chunked,',
    ],
  ],
];
const CHUNKS = [
  '3\r\nabc\r\n',
  '03\r\nabc\r\n',
  '3;e\r\nabc\r\n',
  '3 ;e=1\r\nabc\r\n',
  '3;e="\r\n"\r\nabc\r\n',
  '3\nabc\n',
  '3 \r\nabc\r\n',
  ' 3\r\nabc\r\n',
  'A\r\n0123456789\r\n',
  'a\r\n0123456789\r\n',
  '0x3\r\nabc\r\n',
  '3\r\nabcd\r\n',
  '3\r\nab\r\n',
  '-3\r\nabc\r\n',
  '\r\n',
  '3\r\nabc',
  '3\r\nabc\n',
  '3\r\nabc\r',
  '1\r\na\r\n2\r\nbc\r\n',
  'FFFFFFFFFFFFFFFF\r\n',
  '00000000000000003\r\nabc\r\n',
  '3;\r\nabc\r\n',
  '3\t\r\nabc\r\n',
  'G\r\n',
];
const ENDS = [
  '0\r\n\r\n',
  '0\r\n\r\n',
  '0\r\n\r\n',
  '0\r\nX-T: 1\r\n\r\n',
  '0\r\nX-T: 1\r\nx-t: 2\r\n\r\n',
  '0\r\nContent-Length: 3\r\n\r\n',
  '0\r\nHost: x\r\n\r\n',
  '0\r\nX T: 1\r\n\r\n',
  '0\r\nbad\r\n\r\n',
  '0\n\n',
  '0\r\n',
  '',
  '00\r\n\r\n',
  '0;e\r\n\r\n',
  '0\r\n\r\nGET /after HTTP/1.1\r\nHost: b\r\n\r\n',
];
const STATUS_LINES = [
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 OK',
  'HTTP/1.1 404 No',
  'HTTP/1.1 503 Un',
  'HTTP/1.1 204 No',
  'HTTP/1.1 304 Not',
  'HTTP/1.1 100 C',
  'HTTP/1.1 101 S',
  'HTTP/1.1 103 E',
  'HTTP/1.1 200',
  'HTTP/1.1 200 ',
  'HTTP/1.0 200 OK',
  'HTTP/1.2 200 OK',
  'HTTP/2 200 OK',
  'http/1.1 200 OK',
  'HTTP/1.1 2000 OK',
  'HTTP/1.1 600 X',
  'HTTP/1.1 999 X',
  'HTTP/1.1  200 OK',
  'HTTP/1.1 200 é',
  'HTTP/1.1 abc OK',
  'HTTP/1.1 205 R',
  'HTTP/1.1 301 M',
  '',
];
const ANSWER_FIELDS: readonly (readonly [string, readonly string[]])[] = [
  ['Connection', ['close', 'keep-alive', 'x-b', 'upgrade', 'Close', 'close, x-b']],
  ['Content-Length', ['3', '0', '3, 3', '4', '-1', '03', '', 'x', '3 ']],
  ['Transfer-Encoding', ['chunked', 'gzip, chunked', 'identity', 'Chunked', 'x', 'chunked, chunked']],
  ['X-B', ['1', '', ' 1 ', 'é', 'a\x01b', '\t']],
  ['x-b', ['2']],
  ['X B', ['1']],
  ['', ['1']],
  ['Server', ['up']],
  ['Date', ['Mon']],
  ['Location', ['/x', 'http://test/x']],
  ['Upgrade', ['websocket', 'h2c']],
  ['Keep-Alive', ['timeout=5']],
  ['Proxy-Connection', ['close']],
  ['Trailer', ['x-t']],
  ['Set-Cookie', ['a=1', 'b=2']],
  ['X-Envoy-Upstream-Service-Time', ['5']],
  ['X-Envoy-Overloaded', ['true']],
  ['Grpc-Status', ['0', '14', 'x']],
  ['Alt-Svc', ['h3=":443"']],
  ['Via', ['up']],
  ['X-Request-Id', ['up']],
  ['Content-Type', ['text/plain', 'application/grpc']],
  ['ETag', ['"x"']],
  ['Vary', ['a', 'Origin']],
  ['Cache-Control', ['no-cache', 'private']],
  ['Content-Encoding', ['gzip']],
  ['Access-Control-Allow-Origin', ['*']],
  ['Access-Control-Expose-Headers', ['a']],
  ['Grpc-Message', ['m']],
  ['Last-Modified', ['y']],
  ['Expires', ['0']],
  ['Age', ['1']],
  ['Accept-Ranges', ['bytes']],
  ['WWW-Authenticate', ['Basic', 'Bearer']],
  ['X-Envoy-Attempt-Count', ['9']],
  ['X-Envoy-Upstream-Canary', ['true']],
  ['X-Envoy-RateLimited', ['true']],
  ['X-Envoy-Decorator-Operation', ['op']],
  ['X-Envoy-Degraded', ['true']],
  ['X-Envoy-Immediate-Health-Check-Fail', ['true']],
  ['X-Forwarded-For', ['9.9.9.9']],
  ['Proxy-Status', ['p']],
  ['Strict-Transport-Security', ['s']],
  ['Host', ['h']],
  ['TE', ['trailers']],
];
const BODIES = [
  '',
  'abc',
  'abcd',
  'ab',
  '3\r\nabc\r\n0\r\n\r\n',
  '3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n',
  '3\r\nabc\r\n',
  '3\r\nabcd\r\n0\r\n\r\n',
  'x\r\n',
  '0\r\n\r\n',
  'abcHTTP/1.1 200 OK\r\n\r\n',
];

/** One of each is taken. */
const OPTIONS: readonly (readonly object[])[] = [
  [{}, {}, { normalizePath: true }, { normalizePath: true, mergeSlashes: true }, { mergeSlashes: true }],
  [
    {},
    {},
    { pathWithEscapedSlashesAction: 'REJECT_REQUEST' },
    { pathWithEscapedSlashesAction: 'UNESCAPE_AND_FORWARD' },
    { pathWithEscapedSlashesAction: 'UNESCAPE_AND_REDIRECT' },
    { pathWithEscapedSlashesAction: 'KEEP_UNCHANGED' },
  ],
  [{}, {}, { stripAnyHostPort: true }, { stripMatchingHostPort: true }],
  [{}, { stripTrailingHostDot: true }],
  [
    {},
    {},
    { useRemoteAddress: true },
    { useRemoteAddress: true, xffNumTrustedHops: 1 },
    { xffNumTrustedHops: 2 },
    { useRemoteAddress: true, skipXffAppend: true },
  ],
  [
    {},
    {},
    { serverHeaderTransformation: 'APPEND_IF_ABSENT' },
    { serverHeaderTransformation: 'PASS_THROUGH' },
    { serverName: 'me' },
  ],
  [{}, {}, { upgradeConfigs: [{ upgradeType: 'websocket' }] }],
  [
    {},
    {},
    { commonHttpProtocolOptions: { headersWithUnderscoresAction: 'REJECT_REQUEST' } },
    { commonHttpProtocolOptions: { headersWithUnderscoresAction: 'DROP_HEADER' } },
  ],
  [
    {},
    {},
    {},
    { httpProtocolOptions: { acceptHttp10: true } },
    { httpProtocolOptions: { acceptHttp10: true, defaultHostForHttp10: 'old' } },
    { httpProtocolOptions: { enableTrailers: true } },
    { httpProtocolOptions: { allowChunkedLength: true } },
    { httpProtocolOptions: { allowAbsoluteUrl: true } },
    { httpProtocolOptions: { overrideStreamErrorOnInvalidHttpMessage: true } },
    { httpProtocolOptions: { headerKeyFormat: { properCaseWords: {} } } },
    { httpProtocolOptions: { allowCustomMethods: true } },
  ],
  [{}, {}, { generateRequestId: false }, { preserveExternalRequestId: true }, { alwaysSetRequestIdInResponse: true }],
  [{}, {}, { via: 'me' }],
  [{}, {}, { streamErrorOnInvalidHttpMessage: true }],
  [{}, {}, { proxy100Continue: true }],
  [{}, {}, { appendXForwardedPort: true }],
  [{}, {}, { schemeHeaderTransformation: { schemeToOverwrite: 'https' } }],
];

/** Milliseconds in which a request is answered, and a connection closed. */
const WAIT = 600;

function fields(random: Random, from: readonly (readonly [string, readonly string[]])[], most: number): string {
  let text = '';
  for (let i = random.below(most + 1); i > 0; i--) {
    const [name, values] = random.pick(from);
    const end = random.below(40) === 0 ? '\n' : random.below(60) === 0 ? '\r' : '\r\n';
    const colon = random.below(30) === 0 ? random.pick([':', ' : ', ':\t', '::']) : ': ';
    text += `${name}${colon}${random.pick(values)}${end}`;
  }
  return text;
}

function body(random: Random, head: string): string {
  const chunked = /transfer-encoding/i.test(head);
  if (!chunked) return random.pick(['', '', 'abc', 'abcde', 'GET /after HTTP/1.1\r\nHost: b\r\n\r\n']);
  let text = '';
  for (let i = random.below(3); i > 0; i--) text += random.below(3) === 0 ? random.pick(CHUNKS) : CHUNKS[0]!;
  return text + random.pick(ENDS);
}

function answerWord(random: Random): string {
  let head = `${random.below(2) === 0 ? 'HTTP/1.1 200 OK' : random.pick(STATUS_LINES)}\r\n`;
  head += fields(random, ANSWER_FIELDS, 3);
  const bytes = `${head}\r\n${random.pick(BODIES)}${random.below(3) > 0 ? '\0' : ''}`;
  return `raw:${[...Buffer.from(bytes, 'latin1')].map((byte) => (byte > 0x20 && byte < 0x7f && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`)).join('')}`;
}

function request(random: Random): Request {
  const odd = random.below(4) === 0;
  const line = `${odd ? random.pick(METHODS) : random.pick(METHODS.slice(0, 9))} ${random.below(2) === 0 ? random.pick(TARGETS) : '/'} ${odd ? random.pick(VERSIONS) : 'HTTP/1.1'}\r\n`;
  let head = random.below(12) === 0 ? '' : `Host: ${random.below(3) === 0 ? random.pick(HOSTS) : 'test'}\r\n`;
  head += fields(random, FIELDS, 4);
  if (random.below(3) === 0) head += `x-answer: ${answerWord(random)}\r\n`;
  let bytes = `${random.below(40) === 0 ? '\r\n' : ''}${line}${head}\r\n${body(random, head)}`;
  if (random.below(12) === 0) {
    const at = random.below(bytes.length);
    bytes =
      bytes.slice(0, at) +
      random.pick(['', '\r', '\n', '\0', ' ', ':', '\xff', '\r\n']) +
      bytes.slice(at + random.below(2));
  }
  const split = random.below(3) === 0 ? random.below(bytes.length) : 0;
  return parseRequest({
    send: split > 0 ? [bytes.slice(0, split), bytes.slice(split)] : [bytes],
    wait: WAIT,
    settle: 0,
    gap: 15,
  });
}

/** A case of so many random requests. */
export function randomCase(seed: number, requests: number): Case {
  const random = new Random(seed);
  const [template] = readCases('smuggling/pipelines');
  const hcm: Record<string, unknown> = { delayedCloseTimeout: '0.050s' };
  for (const choice of OPTIONS) Object.assign(hcm, random.pick(choice));
  return {
    ...template!,
    name: `http/${seed}`,
    parallel: 10,
    stats: [],
    statsDiffer: undefined,
    statsPending: undefined,
    configuration: { hcm: hcm as object },
    requests: Array.from({ length: requests }, () => request(random)),
  };
}

/** Traffic on which the proxies differ, with what brings it back. */
export interface Apart {
  readonly seed: number;
  readonly configuration: object;
  readonly sent: readonly string[];
  readonly differences: readonly Difference[];
}

/** Runs a random case on both; what differs. */
export async function compareTraffic(seed: number, requests: number): Promise<Apart[]> {
  const one = randomCase(seed, requests);
  const { verdicts } = await run(one, ['envoy', 'mizzen']);
  return verdicts.flatMap(({ result, differences }, i) =>
    result === 'failed'
      ? [{ seed, configuration: one.configuration, sent: one.requests[i]?.send ?? [], differences }]
      : [],
  );
}
