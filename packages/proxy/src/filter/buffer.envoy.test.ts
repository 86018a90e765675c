/** The buffer filter beside real Envoy. */
import { beforeAll, expect, test } from 'vitest';
import { observeBoth, TYPE, type BesideCase, type Observed } from './testing/beside.ts';

const buffer = {
  name: 'envoy.filters.http.buffer',
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.buffer.v3.Buffer`, maxRequestBytes: 10 },
};
const perRoute = (config: object): object => ({
  'envoy.filters.http.buffer': {
    '@type': `${TYPE}envoy.extensions.filters.http.buffer.v3.BufferPerRoute`,
    ...config,
  },
});
const post = (body: string): string =>
  ['POST / HTTP/1.1', 'host: h', `content-length: ${body.length}`, '', body].join('\r\n');
const chunked = (...parts: string[]): string =>
  [
    'POST / HTTP/1.1',
    'host: h',
    'transfer-encoding: chunked',
    '',
    ...parts.flatMap((part) => [part.length.toString(16), part]),
    '0',
    '',
    '',
  ].join('\r\n');
const ask = [
  'GET / HTTP/1.1\r\nhost: h\r\n\r\n',
  post(''),
  post('0123456789'),
  post('0123456789a'),
  chunked(),
  chunked('abc', 'def'),
  chunked('0123456789', 'a'),
];

const CASES: readonly BesideCase[] = [
  { name: 'for all', filters: [buffer], ask },
  {
    name: 'off for the route',
    filters: [buffer],
    perRoute: perRoute({ disabled: true }),
    ask: [post('0123456789a'), chunked('0123456789a')],
  },
  { name: 'less for the route', filters: [buffer], perRoute: perRoute({ buffer: { maxRequestBytes: 4 } }), ask },
];

let theirs: Observed;
let ours: Observed;
beforeAll(async () => {
  const logFormat = '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%';
  ({ theirs, ours } = await observeBoth(CASES, { clusters: {}, logFormat, statsFilter: '^$' }));
}, 120_000);

test.each(CASES.flatMap(({ name, ask: asked }, i) => asked.map((_, j) => [`${name}: ${j}`, i, j] as const)))(
  '%s',
  (_name, i, j) => {
    expect(ours.answers[i]![j]).toBe(theirs.answers[i]![j]);
  },
);
test('log lines', () => {
  expect(theirs.log.length).toBe(2 * ask.length + 2);
  expect(ours.log.toSorted()).toEqual(theirs.log.toSorted());
});
