/** Decompressed requests and responses beside real Envoy. */
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootstrap, hcm, listener, routeTo, staticCluster } from '../../process/testing/bootstraps.ts';
import { fetchText, TYPE } from '../testing/beside.ts';
import { startSides, type Side } from '../testing/sides.ts';

const decompressor = (name: string, type: string, config: object = {}, library: object = {}): object => ({
  name,
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.filters.http.decompressor.v3.Decompressor`,
    decompressorLibrary: {
      name,
      typedConfig: { '@type': `${TYPE}envoy.extensions.compression.${type}`, ...library },
    },
    ...config,
  },
});
const compressor = {
  name: 'compressor',
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.filters.http.compressor.v3.Compressor`,
    compressorLibrary: {
      name: 'br',
      typedConfig: { '@type': `${TYPE}envoy.extensions.compression.brotli.compressor.v3.Brotli` },
    },
  },
};
const router = {
  name: 'envoy.filters.http.router',
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.router.v3.Router` },
};
const off = { enabled: { defaultValue: false, runtimeKey: 'k' } };
const GZIP = 'gzip.decompressor.v3.Gzip';
const FILTERS: Readonly<Record<string, readonly object[]>> = {
  gzip: [decompressor('gzip', GZIP)],
  all: [
    decompressor('gzip', GZIP),
    decompressor('br', 'brotli.decompressor.v3.Brotli'),
    decompressor('zstd', 'zstd.decompressor.v3.Zstd'),
  ],
  quiet: [decompressor('gzip', GZIP, { requestDirectionConfig: { advertiseAcceptEncoding: false } })],
  up: [decompressor('gzip', GZIP, { responseDirectionConfig: { commonConfig: off } })],
  down: [
    decompressor('gzip', GZIP, {
      requestDirectionConfig: { commonConfig: off },
      responseDirectionConfig: { commonConfig: { ignoreNoTransformHeader: true } },
    }),
  ],
  again: [compressor, decompressor('gzip', GZIP)],
};
const NAMES = Object.keys(FILTERS);
const TEXT = 'to be or not to be, '.repeat(50);
const LONG = Array.from({ length: 4000 }, (_, i) => `${i} ${(i * 7919) % 4001}`).join(', ');
const BODIES: Readonly<Record<string, Buffer>> = {
  gzip: gzipSync(TEXT),
  br: brotliCompressSync(TEXT),
  zstd: zstdCompressSync(TEXT),
  plain: Buffer.from(TEXT),
  nothing: Buffer.alloc(0),
  cut: gzipSync(TEXT).subarray(0, 40),
  bomb: gzipSync(Buffer.alloc(1_000_000)),
  ...broken('gzip', gzipSync(LONG)),
  ...broken('br', brotliCompressSync(LONG)),
  ...broken('zstd', zstdCompressSync(LONG)),
};

/** Bodies that are cut off, garbled, or followed by something. */
function broken(name: string, whole: Buffer): Record<string, Buffer> {
  const garble = (at: number): Buffer => {
    const copy = Buffer.from(whole);
    copy[at]! ^= 0xff;
    return copy;
  };
  return {
    [`${name} cut`]: whole.subarray(0, whole.length - 20),
    [`${name} cut in its head`]: whole.subarray(0, 5),
    // What is made of gzip up to there is another thing: `garbled-gzip`.
    ...(name === 'gzip' ? {} : { [`${name} garbled`]: garble(Math.floor(whole.length / 2)) }),
    [`${name} garbled in its head`]: garble(0),
    [`${name} garbled in its last byte`]: garble(whole.length - 1),
    [`${name} with more`]: Buffer.concat([whole, Buffer.from('more')]),
    [`${name} twice`]: Buffer.concat([whole, whole]),
    [`no ${name}`]: Buffer.from(LONG),
  };
}

interface Question {
  readonly body: string;
  readonly fields: readonly string[];
  /** Field of the answer, which has this body, too. */
  readonly answer?: string;
  readonly chunked?: true;
}
const QUESTIONS: readonly Question[] = [
  { body: 'plain', fields: ['content-encoding: gzip'], answer: 'content-encoding: gzip' },
  { body: 'cut', fields: ['content-encoding: gzip'], answer: 'content-encoding: gzip' },
  { body: 'bomb', fields: ['content-encoding: gzip'], answer: 'content-encoding: gzip' },

  ...['gzip', 'br', 'zstd'].flatMap((encoding): Question[] => [
    { body: encoding, fields: [`content-encoding: ${encoding}`], answer: `content-encoding: ${encoding}` },
    { body: encoding, fields: [`content-encoding: ${encoding}`], chunked: true },
  ]),
  ...Object.keys(BODIES)
    .filter((name) => name.includes(' '))
    .flatMap((body): Question[] => {
      const encoding = /gzip|br(?!o)|zstd/.exec(body)![0];
      return [{ body, fields: [`content-encoding: ${encoding}`], answer: `content-encoding: ${encoding}` }];
    }),
  { body: 'gzip', fields: ['content-encoding: GZip'], answer: 'content-encoding: GZIP' },
  { body: 'gzip', fields: ['content-encoding: gzip, br'], answer: 'content-encoding: gzip ,br' },
  { body: 'br', fields: ['content-encoding: br, gzip'] },
  { body: 'gzip', fields: ['content-encoding: gzip', 'cache-control: no-transform'] },
  { body: 'gzip', fields: ['content-encoding: gzip', 'cache-control: max-age=1, No-Transform'] },
  { body: 'gzip', fields: [], answer: 'content-encoding: gzip\r\ncache-control: no-transform' },
  { body: 'plain', fields: ['accept-encoding: identity'] },
  { body: 'plain', fields: ['accept-encoding: deflate , gzip;q=0.5,  br;q=1'] },
  { body: 'plain', fields: ['accept-encoding: GZIP, gzip'] },
  { body: 'plain', fields: ['accept-encoding:'] },
  { body: 'plain', fields: ['accept-encoding: gzip, deflate', 'accept-encoding: x'] },
  { body: 'plain', fields: ['accept-encoding: gzip'], answer: 'x-plain: 1' },
  { body: 'plain', fields: ['accept-encoding: br'], answer: 'content-type: text/html' },
  { body: 'nothing', fields: ['content-encoding: gzip'], answer: 'content-encoding: gzip' },
  { body: 'gzip', fields: ['accept-encoding: br', 'x-want: gzip'], answer: 'content-encoding: gzip' },
];

const closing: (() => unknown)[] = [];
let sides: { readonly ours: Side; readonly theirs: Side };
/** What the upstream was sent last. */
let sent = '';

beforeAll(async () => {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (data: Buffer) => parts.push(data));
    request.on('end', () => {
      const body = Buffer.concat(parts);
      const fields: string[] = [];
      for (let i = 0; i < request.rawHeaders.length; i += 2) {
        const [name, value] = [request.rawHeaders[i]!, request.rawHeaders[i + 1]!];
        if (!/^(x-request-id|x-answer|x-body)$/.test(name)) fields.push(`${name}: ${value}`);
      }
      sent = [...fields.sort(), '', body.toString('latin1')].join('\n');
      const answer = decodeURIComponent(String(request.headers['x-answer'] ?? ''));
      for (const field of answer === '' ? [] : answer.split('\r\n')) {
        const [name = '', value = ''] = field.split(': ');
        response.setHeader(name, value);
      }
      const own = BODIES[String(request.headers['x-body'])]!;
      response.setHeader('content-length', own.length);
      response.sendDate = false;
      response.end(own);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(() => server.close());
  const up = (server.address() as { port: number }).port;
  const config = (ports: Readonly<Record<string, number>>): object => {
    const listeners = NAMES.map((name) => {
      const manager = hcm([routeTo('up')], {
        statPrefix: name,
        httpFilters: [...FILTERS[name]!, router],
        delayedCloseTimeout: '0.05s',
      });
      return listener(ports[name]!, [{ filters: [manager] }]);
    });
    return bootstrap(listeners, [staticCluster('up', [up])]);
  };
  sides = await startSides(NAMES, config, closing);
}, 30_000);
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});

function exchange(port: number, { body, fields, answer, chunked }: Question): Promise<string> {
  const bytes = BODIES[body]!;
  const half = Math.floor(bytes.length / 2);
  const chunks = [bytes.subarray(0, half), bytes.subarray(half)].flatMap((part) => [
    Buffer.from(`${part.length.toString(16)}\r\n`),
    part,
    Buffer.from('\r\n'),
  ]);
  const head = [
    'POST / HTTP/1.1',
    'host: h',
    `x-body: ${answer === undefined ? 'plain' : body}`,
    `x-answer: ${encodeURIComponent(answer ?? '')}`,
    ...fields,
    chunked === true ? 'transfer-encoding: chunked' : `content-length: ${bytes.length}`,
    'connection: close',
    '',
    '',
  ];
  sent = '';
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(head.join('\r\n'));
      socket.write(chunked === true ? Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')]) : bytes);
    });
    socket.on('data', (data: Buffer) => parts.push(data));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const text = Buffer.concat(parts)
        .toString('latin1')
        .replace(/(?<=^date: ).*/m, 'DATE')
        .replace(/(?<=-service-time: )\d+/, 'N');
      const [answered = '', ...rest] = text.split('\r\n\r\n');
      // Chunks are of any size, and who compresses does so in a way of its own.
      const content = answered.includes('content-encoding: br\r\nvary')
        ? 'compressed'
        : rest.join('\r\n\r\n').replaceAll(/^[0-9a-f]+\r\n|\r\n[0-9a-f]+\r\n|\r\n/g, '');
      resolve(`${answered}\n\n${content}\n\n${sent}`.replaceAll(/\0+/g, (zeros) => `${zeros.length} zeros`));
    });
  });
}

const NAMED = QUESTIONS.map((question) => {
  const { fields, answer, chunked } = question;
  return [`${question.body} ${[...fields, answer ?? '', chunked ? 'in chunks' : ''].join(' | ')}`, question] as const;
});
test.each(NAMES.flatMap((name) => NAMED.map(([text, question]) => [name, text, question] as const)))(
  '%s: %s',
  async (name, _, question) => {
    const { ours, theirs } = sides;
    expect(await exchange(ours.ports[name]!, question)).toBe(await exchange(theirs.ports[name]!, question));
  },
);

test('counters', async () => {
  const stats = async ({ admin }: Side): Promise<string[]> =>
    (await fetchText(admin, '/stats?filter=\\.decompressor\\.'))
      .split('\n')
      .filter((line) => line !== '')
      // Envoy counts a fault once more with every further piece of the body.
      .map((line) => line.replace(/(?<=\.decompressor_library\.\w+: )[1-9]\d*$/, 'some'));
  const { ours, theirs } = sides;
  expect(await stats(ours)).toEqual(await stats(theirs));
  expect((await stats(theirs)).length).toBeGreaterThan(50);
});
