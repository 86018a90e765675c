/** What clients send, and what is answered: pieces that are fine, odd and wrong, most of them in the words of tools/property. */
import fc, { type Arbitrary } from 'fast-check';
import {
  ANSWER_FIELDS,
  BODIES,
  CHUNKS,
  ENDS,
  FIELDS,
  HOSTS,
  METHODS,
  STATUS_LINES,
  TARGETS,
  VERSIONS,
} from '../../property/http-words.ts';
import { among, one } from './arbitrary.ts';

/** A connection of a client. */
export interface Exchange {
  /** Sent one after the other: each once what came before has been answered, or nobody answers. */
  readonly steps: readonly string[];
  /** The client half-closes after the last. */
  readonly end: boolean;
}

const often = <T>(first: Arbitrary<T>, times: number, other: Arbitrary<T>): Arbitrary<T> =>
  fc.oneof({ withCrossShrink: true }, { weight: times - 1, arbitrary: first }, { weight: 1, arbitrary: other });

type Words = readonly (readonly [string, readonly string[]])[];

const MORE_FIELDS: Words = [
  ['x-a', ['1', '1', 'two, 3', '5', '/x', 'a/b']],
  ['x-b', ['b', '', 'test']],
  ['X-Cluster', ['UNITa', 'UNITb', 'none', 'UNITdead', '']],
  ['Cookie', ['c=1; d=2', 'c="1"', 'c=']],
  ['Origin', ['https://a', 'null', 'http://test', 'https://b.test']],
  ['x-envoy-fault-abort-request', ['429', 'x', '99']],
  ['x-envoy-fault-delay-request', ['20', 'x']],
  ['x-envoy-retry-on', ['5xx', 'retriable-4xx', 'nothing']],
  ['x-envoy-retry-grpc-on', ['unavailable', 'x']],
  ['x-envoy-max-retries', ['1', '0', 'x', '99999999999']],
  ['x-envoy-upstream-rq-timeout-ms', ['400', '0', '-1', 'x']],
  ['x-envoy-upstream-rq-per-try-timeout-ms', ['400', '0']],
  ['x-forwarded-client-cert', ['Hash=a', 'By=x;URI=y,By=z']],
  ['x-forwarded-host', ['h, i']],
  ['x-envoy-original-path', ['/o?x']],
  ['Access-Control-Request-Private-Network', ['true']],
  ['x-long', ['y'.repeat(2000)]],
  ['x_b', ['under']],
  ['grpc-timeout', ['400m', '1u', '99999999H']],
  ['Authorization', ['Basic dTpw']],
  [
    'authorization',
    ['Bearer ${token:good}', 'Bearer ${token:guest}', 'bearer ${token:second}', 'Bearer x.y.z', 'Basic dTpx', '1'],
  ],
  ['x-second', ['${token:second}', '${token:good}']],
  [
    'x-authz',
    [
      '403',
      '200+x-up=2+x-b=c',
      '401+www-authenticate=Basic',
      '500',
      '302+location=/login',
      'reset',
      '200+x-envoy-auth-headers-to-remove=x-a',
    ],
  ],
  ['x-auth', ['Basic dTpw']],
  ['x-user', ['forged']],
  ['content-type', ['application/json', 'text/json', 'text/plain']],
  ['accept-encoding', ['gzip', 'br;q=1, gzip;q=0.5', '*', 'identity', 'gzip;q=0', '']],
  ['content-encoding', ['gzip', 'br', 'identity']],
  ['x-envoy-hedge-on-per-try-timeout', ['true']],
  ['x-envoy-downstream-service-cluster', ['c']],
  ['x-retry', ['1']],
  ['accept-encoding', ['gzip, br']],
];

const field = (from: Words): Arbitrary<string> =>
  fc
    .record({
      pair: one(...from).chain(([name, values]) => one(...values).map((value) => [name, value] as const)),
      colon: often(one(': '), 30, one(':', ' : ', ':\t')),
      end: often(one('\r\n'), 40, one('\n', '\r')),
    })
    .map(({ pair: [name, value], colon, end }) => `${name}${colon}${value}${end}`);

const answerBytes: Arbitrary<string> = fc
  .record({
    status: often(one('HTTP/1.1 200 OK'), 2, one(...STATUS_LINES)),
    fields: fc.array(field(ANSWER_FIELDS), { maxLength: 3 }),
    body: one(...BODIES),
    end: one('\0', '', '\x01'),
  })
  .map(({ status, fields, body, end }) => `${status}\r\n${fields.join('')}\r\n${body}${end}`);

const encoded = (bytes: string): string =>
  [...Buffer.from(bytes, 'latin1')]
    .map((byte) =>
      byte > 0x20 && byte < 0x7f && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).padStart(2, '0')}`,
    )
    .join('');

const chunked = (trailers: string): string =>
  `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n${trailers}\r\n`;
const word: Arbitrary<string> = among(
  one(
    '200',
    '200+x-up=1',
    '200+content-type=text/plain+etag="e"',
    '200+content-type=text/plain+vary=accept',
    '200+content-type=text/plain+cache-control=no-transform',
    '200+content-encoding=gzip',
    '503',
    '500',
    '404',
    '418',
    '204',
    '304',
    '302+location=http://test/a/b',
    '303+location=/b',
    '307+location=http://a.test/c?d',
    '301+location=http://other/',
    'reset',
    'close',
    'cut',
    'hang',
    '200@100',
    '503+x-retry=1',
    '503+x-envoy-ratelimited=true',
    '429+retry-after=0',
    '200+content-type=application/grpc+grpc-status=14',
    '200+content-type=application/grpc+grpc-status=1+grpc-message=m',
    `raw:${encoded(chunked(''))}`,
    `raw:${encoded(chunked('x-t: 1\r\nx-a: 2\r\n'))}`,
    `raw:${encoded('HTTP/1.1 103 E\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')}`,
    `raw:${encoded('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')}`,
    `raw:${encoded('HTTP/1.1 101 S\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')}`,
    `raw:${encoded('HTTP/1.1 200 OK\r\n\r\nuntil the end\0')}`,
    `raw:${encoded('HTTP/1.0 200 OK\r\n\r\nold\0')}`,
    `raw:${encoded('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc\x01')}`,
    `raw:${encoded('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n\x01')}`,
    'early:200',
    'early:503',
    'early:413+connection=close',
    'early:reset',
  ),
  answerBytes.map((bytes) => `raw:${encoded(bytes)}`),
);
const answers: Arbitrary<string> = often(
  fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => `x-answer: ${words.join(' ')}\r\n`),
  3,
  fc.constant(''),
);

const body: Arbitrary<{ readonly fields: string; readonly bytes: string }> = fc.oneof(
  { withCrossShrink: true },
  { weight: 6, arbitrary: fc.constant({ fields: '', bytes: '' }) },
  {
    weight: 3,
    arbitrary: one('abc', 'abcdef', '', 'y'.repeat(1500), '{"a": "x"}', '{"a": {"b": 5}}', '{"a": ').map((bytes) => ({
      fields: `Content-Length: ${bytes.length}\r\n`,
      bytes,
    })),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({
        chunks: fc.array(often(one(CHUNKS[0]!), 4, one(...CHUNKS)), { maxLength: 2 }),
        end: often(one(ENDS[0]!, ENDS[3]!), 3, one(...ENDS)),
      })
      .map(({ chunks, end }) => ({ fields: 'Transfer-Encoding: chunked\r\n', bytes: chunks.join('') + end })),
  },
  {
    weight: 1,
    arbitrary: one('abc', 'GET /after HTTP/1.1\r\nHost: b\r\n\r\n').map((bytes) => ({ fields: '', bytes })),
  },
);

const PLAIN_TARGETS = [
  '/',
  '/a',
  '/a/b',
  '/a/b?q=1',
  '/b',
  '/A/B',
  '/ab?x=1&q=',
  '/a/b/c/',
  '/a;p=1/b',
  '/a%2Fb',
  '/health',
  '/a/b?q=a%20b&q=2',
  '/a?q=5',
  '/a?q=${token:good}',
  '/a//b/../c',
];
const PLAIN_HOSTS = [
  'test',
  'a.test',
  'x.test',
  'a-b.test',
  'test:80',
  'A.com',
  'TEST',
  'x.a.test',
  'test.',
  'other',
  '[::1]',
  '1.2.3.4',
];

const request: Arbitrary<string> = fc
  .record({
    method: often(one('GET', 'POST', 'HEAD', 'OPTIONS', 'PUT'), 8, one(...METHODS)),
    target: often(one(...PLAIN_TARGETS), 4, one(...TARGETS)),
    version: often(one('HTTP/1.1'), 12, one(...VERSIONS)),
    host: often(
      one(...PLAIN_HOSTS).map((name) => `Host: ${name}\r\n`),
      10,
      among(
        one(...HOSTS).map((name) => `Host: ${name}\r\n`),
        one('', 'Host: test\r\nHost: test\r\n'),
      ),
    ),
    fields: fc.array(often(field(MORE_FIELDS), 2, field(FIELDS)), { maxLength: 4 }),
    answer: answers,
    body,
  })
  .map(
    ({ method, target, version, host, fields, answer, body: { fields: framing, bytes } }) =>
      `${method} ${target} ${version}\r\n${host}${fields.join('')}${answer}${framing}\r\n${bytes}`,
  );

const damaged: Arbitrary<string> = fc
  .record({
    bytes: request,
    at: fc.nat(1000),
    put: one('', '\r', '\n', '\0', ' ', ':', '\xff', '\r\n'),
    lose: fc.nat(1),
  })
  .map(({ bytes, at, put, lose }) => {
    const place = at % bytes.length;
    return bytes.slice(0, place) + put + bytes.slice(place + lose);
  });

const step: Arbitrary<readonly string[]> = fc.oneof(
  { withCrossShrink: true },
  { weight: 10, arbitrary: request.map((bytes) => [bytes]) },
  { weight: 1, arbitrary: damaged.map((bytes) => [bytes]) },
  { weight: 1, arbitrary: fc.tuple(request, request).map((all) => [all.join('')]) },
  {
    weight: 1,
    arbitrary: fc.tuple(request, fc.nat(1000)).map(([bytes, at]) => {
      const place = at % bytes.length;
      return [bytes.slice(0, place), bytes.slice(place)];
    }),
  },
);

export const exchange: Arbitrary<Exchange> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 3 }).map((all) => all.flat()),
  end: often(fc.constant(false), 15, fc.constant(true)),
});
