/** Compressed responses beside real Envoy: heads byte by byte, bodies as they are read, counters. */
import { connect } from 'node:net';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootstrap, hcm, listener, routeTo, staticCluster } from '../../process/testing/bootstraps.ts';
import { fetchText, startRaw, TYPE } from '../testing/beside.ts';
import { startSides, type Side } from '../testing/sides.ts';

const library = (name: string, type: string, config: object = {}): object => ({
  name,
  typedConfig: { '@type': `${TYPE}envoy.extensions.compression.${type}`, ...config },
});
const compressor = (name: string, config: object): object => ({
  name,
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.compressor.v3.Compressor`, ...config },
});
const router = {
  name: 'envoy.filters.http.router',
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.router.v3.Router` },
};
const GZIP = library('text', 'gzip.compressor.v3.Gzip');
const BROTLI = library('br', 'brotli.compressor.v3.Brotli', { quality: 5 });
const ZSTD = library('z', 'zstd.compressor.v3.Zstd');
const perRoute = (config: object): object => ({
  gzip: { '@type': `${TYPE}envoy.extensions.filters.http.compressor.v3.CompressorPerRoute`, ...config },
});

const FILTERS: Readonly<Record<string, readonly object[]>> = {
  gzip: [compressor('gzip', { compressorLibrary: GZIP })],
  told: [
    compressor('gzip', {
      compressorLibrary: library('best', 'gzip.compressor.v3.Gzip', {
        compressionLevel: 'COMPRESSION_LEVEL_7',
        memoryLevel: 9,
        windowBits: 15,
      }),
      responseDirectionConfig: {
        commonConfig: { minContentLength: 100, contentType: ['text/html', 'Application/JSON'] },
        disableOnEtagHeader: true,
        statusHeaderEnabled: true,
        uncompressibleResponseCodes: [206],
        removeAcceptEncodingHeader: true,
      },
    }),
  ],
  both: [
    compressor('gzip', { compressorLibrary: GZIP }),
    compressor('brotli', { compressorLibrary: BROTLI, responseDirectionConfig: { commonConfig: {} } }),
  ],
  first: [
    compressor('gzip', { compressorLibrary: GZIP }),
    compressor('zstd', { compressorLibrary: ZSTD, chooseFirst: true }),
  ],
  weak: [
    compressor('gzip', {
      compressorLibrary: GZIP,
      responseDirectionConfig: {
        weakenEtagOnCompress: true,
        disableOnEtagHeader: true,
        commonConfig: { contentTypeMatcher: [{ prefix: 'image/', ignoreCase: true }, { exact: 'text/x-js;a=b' }] },
      },
    }),
  ],
  matched: [
    compressor('gzip', {
      compressorLibrary: GZIP,
      responseDirectionConfig: {
        commonConfig: {
          contentType: ['text/html'],
          contentTypeMatcher: [{ exact: 'Application/JSON' }, { suffix: 'a=b' }],
        },
      },
    }),
  ],
  requests: [
    compressor('gzip', {
      compressorLibrary: GZIP,
      contentLength: 60,
      contentType: ['text/html'],
      requestDirectionConfig: { commonConfig: { minContentLength: 10, contentType: ['text/x', 'text/html'] } },
    }),
  ],
  'requests too': [
    compressor('gzip', { compressorLibrary: ZSTD, requestDirectionConfig: {}, responseDirectionConfig: {} }),
  ],
  'no requests': [
    compressor('gzip', {
      compressorLibrary: GZIP,
      requestDirectionConfig: { commonConfig: { enabled: { defaultValue: false, runtimeKey: 'k' } } },
    }),
  ],
  off: [
    compressor('gzip', {
      compressorLibrary: GZIP,
      responseDirectionConfig: { commonConfig: { enabled: { defaultValue: false, runtimeKey: 'k' } } },
    }),
  ],
};
const NAMES = Object.keys(FILTERS);

const ENCODINGS = [
  'gzip',
  'gzip;q=0',
  'br',
  'zstd',
  '*',
  'identity',
  'gzip, br',
  'br, gzip',
  'gzip, zstd',
  'br;q=0.5, gzip;q=1',
  'deflate',
  '',
  'GZIP',
  'gzip;q=x',
  'identity;q=1, gzip;q=0.5',
  '*;q=0',
  'gzip;q=0.1, *;q=0.9',
  'gzip ; q=0.5 , identity;q=0.5',
  'gzip;level=1;q=0.4',
  'gzip,zstd;q=0.9,br;q=0.95',
];
const RESPONSES = [
  'content-type: text/html; charset=utf-8',
  'content-type: image/png',
  'content-type: TEXT/HTML',
  'content-type: application/json',
  'content-type: text/x-js;a=b',
  'etag: "abc"',
  'etag: W/"abc"',
  'etag: w/"abc"',
  'etag: ""',
  'etag: x',
  'etag: ',
  'etag: W/',
  'content-type: Image/PNG ; q=1',
  'content-type: Application/JSON',
  'cache-control: no-transform',
  'cache-control: public, No-Transform',
  'vary: Origin',
  'vary: accept-encoding',
  'vary: Accept-Encoding',
  'vary: *',
  'content-encoding: br',
  'content-encoding: identity',
];
interface Question {
  readonly line: string;
  readonly fields: readonly string[];
  readonly body?: string;
}
const post = (path: string, body: string, ...fields: string[]): Question => ({ line: `POST ${path}`, fields, body });
const LONG = 'a body that is long enough for everybody';
const ask = (path: string, ...fields: string[]): Question => ({ line: `GET ${path}`, fields });
const QUESTIONS: readonly Question[] = [
  ask('/len/240'),
  ...ENCODINGS.map((encoding) => ask('/len/240', `accept-encoding: ${encoding}`)),
  ask('/len/240', 'accept-encoding: br', 'accept-encoding: gzip'),
  ...RESPONSES.map((field) => ask(`/len/240?${encodeURIComponent(field)}`, 'accept-encoding: gzip, br')),
  ...[0, 1, 29, 30, 99, 100, 200_000].map((length) => ask(`/len/${length}`, 'accept-encoding: gzip')),
  ask('/chunked/300', 'accept-encoding: gzip'),
  ask('/chunked/100000', 'accept-encoding: br, gzip;q=0.5'),
  ask('/status/206', 'accept-encoding: gzip'),
  ask('/status/500', 'accept-encoding: gzip'),
  { line: 'HEAD /head', fields: ['accept-encoding: gzip'] },
  ask('/off/240', 'accept-encoding: gzip'),
  ask('/nowhere', 'accept-encoding: gzip'),
  post('/echo', LONG),
  post('/echo', LONG, 'content-type: text/x; charset=utf-8', 'cache-control: no-transform', 'etag: "a"'),
  post('/echo', LONG, 'content-type: image/png'),
  post('/echo', LONG, 'content-encoding: br'),
  post('/echo', 'a little one', 'accept-encoding: gzip'),
  post('/echo', 'short'),
  post('/echo', ''),
  post('/off/echo', LONG),
  post('/library/240', LONG, 'accept-encoding: gzip, br'),
  post('/library/240', LONG, 'accept-encoding: gzip'),
];

const closing: (() => unknown)[] = [];
let sides: { readonly ours: Side; readonly theirs: Side };

/** What comes back is in the path: its length and framing, and one more field. */
function answer(request: string): string {
  const [, target = ''] = request.split(' ');
  const [path = '', field] = target.split('?');
  if (path.endsWith('/echo')) {
    const echo = sorted(read(Buffer.from(request, 'latin1')));
    return `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${echo.length}\r\n\r\n${echo}`;
  }
  const [, how = '', size = '0'] = path.split('/');
  const status = how === 'status' ? size : '200';
  const length = how === 'status' ? 240 : how === 'head' ? 240 : Number(size);
  const accepted = /\r\naccept-encoding: [^\r]*/.exec(request)?.[0].trim() ?? 'nothing';
  const body = `${accepted} `.repeat(Math.ceil(length / 8)).slice(0, length);
  const fields = field === undefined ? '' : `${decodeURIComponent(field)}\r\n`;
  if (how === 'chunked') {
    const half = Math.floor(length / 2);
    const parts = [body.slice(0, half), body.slice(half)].map((part) => `${part.length.toString(16)}\r\n${part}\r\n`);
    return `HTTP/1.1 200 OK\r\n${fields}transfer-encoding: chunked\r\n\r\n${parts.join('')}0\r\n\r\n`;
  }
  return `HTTP/1.1 ${status} Some\r\n${fields}content-length: ${length}\r\n\r\n${how === 'head' ? '' : body}`;
}

beforeAll(async () => {
  const up = await startRaw(answer);
  closing.push(() => up.stop());
  const config = (ports: Readonly<Record<string, number>>): object => {
    const routes = [
      {
        ...routeTo('up'),
        match: { prefix: '/library' },
        typedPerFilterConfig: perRoute({ overrides: { compressorLibrary: BROTLI } }),
      },
      { ...routeTo('up'), match: { prefix: '/off' }, typedPerFilterConfig: perRoute({ disabled: true }) },
      {
        match: { path: '/nowhere' },
        directResponse: { status: 404, body: { inlineString: 'nothing is here '.repeat(10) } },
      },
      routeTo('up'),
    ];
    const listeners = NAMES.map((name) =>
      listener(ports[name]!, [
        {
          filters: [
            hcm(routes, { statPrefix: name, httpFilters: [...FILTERS[name]!, router], delayedCloseTimeout: '0.05s' }),
          ],
        },
      ]),
    );
    return bootstrap(listeners, [staticCluster('up', [up.port])]);
  };
  sides = await startSides(NAMES, config, closing);
}, 30_000);
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});

/** A head's fields in order. */
function sorted(text: string): string {
  const [head = '', ...body] = text.split('\n\n');
  return [
    ...head
      .replace(/(?<=^x-request-id: ).*/m, 'ID')
      .split('\r\n')
      .sort(),
    '',
    ...body,
  ].join('\n');
}

function exchange(port: number, { line, fields, body }: Question): Promise<string> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(
        `${line} HTTP/1.1\r\nhost: h\r\n${fields.map((f) => `${f}\r\n`).join('')}connection: close\r\n` +
          (body === undefined ? '\r\n' : `content-length: ${body.length}\r\n\r\n${body}`),
      ),
    );
    socket.on('data', (data: Buffer) => parts.push(data));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(read(Buffer.concat(parts))));
  });
}

/** The head as it is, and the body as it was before it was compressed. */
function read(bytes: Buffer): string {
  const at = bytes.indexOf('\r\n\r\n');
  const head = bytes.subarray(0, at).toString('latin1');
  let body = bytes.subarray(at + 4);
  if (/^transfer-encoding: chunked/m.test(head)) body = unchunked(body);
  const encoding = /^content-encoding: (\S+)/m.exec(head)?.[1];
  const compressed = /^transfer-encoding: chunked/m.test(head) && body.length > 0;
  if (compressed && encoding === 'gzip') body = gunzipSync(body);
  if (compressed && encoding === 'br') body = brotliDecompressSync(body);
  if (compressed && encoding === 'zstd') body = zstdDecompressSync(body);
  const settled = head.replace(/(?<=^date: ).*/m, 'DATE').replace(/(?<=-service-time: )\d+/, 'N');
  return `${settled}\n\n${body.toString('latin1')}`;
}

function unchunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.subarray(at, end).toString(), 16);
    if (size === 0) break;
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 4 + size;
  }
  return Buffer.concat(parts);
}

/** There Envoy names the library of the route and compresses with the filter's. */
const misnamed = (name: string, { line, fields }: Question): boolean =>
  name === 'told' && line.includes('/library') && fields.some((field) => field.includes('br'));

test.each(
  NAMES.flatMap((name) =>
    QUESTIONS.filter((question) => !misnamed(name, question)).map(
      (question) => [name, `${question.line} ${question.fields.join(' | ')}`, question] as const,
    ),
  ),
)('%s: %s', async (name, _, question) => {
  const { ours, theirs } = sides;
  expect(await exchange(ours.ports[name]!, question)).toBe(await exchange(theirs.ports[name]!, question));
});

test('counters', async () => {
  // How well they compress is their own affair.
  const stats = async ({ admin }: Side): Promise<string[]> =>
    (await fetchText(admin, '/stats?filter=\\.compressor\\.'))
      .split('\n')
      .filter((line) => !line.includes('total_compressed_bytes'));
  const { ours, theirs } = sides;
  expect(await stats(ours)).toEqual(await stats(theirs));
  expect((await stats(theirs)).length).toBeGreaterThan(60);
});
