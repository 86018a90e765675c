import { afterAll, beforeAll, expect, test } from 'vitest';
import { observeBoth, startRaw, TYPE, type BesideCase, type Echo, type Observed } from '../testing/beside.ts';

const LIMIT = `${TYPE}envoy.extensions.filters.http.bandwidth_limit.v3.BandwidthLimit`;
const limit = (statPrefix: string, config: object): object => ({
  name: 'bandwidth',
  typedConfig: { '@type': LIMIT, statPrefix, ...config },
});
/** More than a second's worth: what was saved up is not enough. */
const KIB = 100;
const BODY = 150 * 1024;
const get = (size: number): string => `GET / HTTP/1.1\r\nhost: h\r\nx-size: ${size}\r\n\r\n`;
const post = (framing: string, body: string): string => `POST / HTTP/1.1\r\nhost: h\r\n${framing}\r\n\r\n${body}`;
const CASES: readonly BesideCase[] = [
  {
    name: 'requests',
    filters: [limit('a', { enableMode: 'REQUEST', limitKbps: `${KIB}` })],
    ask: [post(`content-length: ${BODY}`, 'b'.repeat(BODY)), get(BODY)],
  },
  {
    name: 'requests in chunks',
    filters: [limit('b', { enableMode: 'REQUEST', limitKbps: `${KIB}`, fillInterval: '0.02s' })],
    ask: [post('transfer-encoding: chunked', `${BODY.toString(16)}\r\n${'b'.repeat(BODY)}\r\n0\r\n\r\n`)],
  },
  {
    name: 'responses',
    filters: [limit('c', { enableMode: 'RESPONSE', limitKbps: `${KIB}`, fillInterval: '0.2s' })],
    ask: [get(BODY), post('content-length: 3', 'abc')],
  },
  { name: 'nothing', filters: [limit('d', { limitKbps: '1' })], ask: [get(BODY)] },
  {
    name: 'switched off',
    filters: [
      limit('e', {
        enableMode: 'REQUEST_AND_RESPONSE',
        limitKbps: '1',
        runtimeEnabled: { defaultValue: false, runtimeKey: 'on' },
      }),
    ],
    ask: [get(BODY)],
  },
  {
    name: 'a route of its own',
    filters: [limit('f', { enableMode: 'RESPONSE', limitKbps: '1' })],
    perRoute: {
      bandwidth: { '@type': LIMIT, statPrefix: 'g', enableMode: 'RESPONSE', limitKbps: '100000' },
    },
    ask: [get(BODY)],
  },
];

let up: Echo;
let both: { readonly theirs: Observed; readonly ours: Observed };
beforeAll(async () => {
  up = await startRaw((request) => {
    const size = Number(/x-size: (\d+)/.exec(request)?.[1] ?? 1);
    const framing = /\r\n(content-length: \d+|transfer-encoding: \w+)/.exec(request)?.[1];
    return `HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\nx-framing: ${framing}\r\n\r\n${'a'.repeat(size)}`;
  });
  const routed = CASES.map((one) => ({
    ...one,
    routes: [
      {
        match: { prefix: '/' },
        route: { cluster: 'sized' },
        ...(one.perRoute === undefined ? {} : { typedPerFilterConfig: one.perRoute }),
      },
    ],
  }));
  both = await observeBoth(routed, {
    clusters: { sized: up.port },
    logFormat: '%RESPONSE_CODE% %DURATION%',
    statsFilter: 'bandwidth_limit.*(enabled|total_size)',
  });
}, 60_000);
afterAll(() => up.stop());

test.each(CASES.map(({ name }, i) => [name, i] as const))('%s', (_, i) => {
  const shown = ({ answers }: Observed): string[] =>
    answers[i]!.map((answer) => answer.replace(/(a+|b+)$/, (all) => `${all.length}`));
  expect(shown(both.ours)).toEqual(shown(both.theirs));
});
test.each([
  ['requests', 0],
  ['requests in chunks', 2],
  ['responses', 3],
])('%s take their time', (_, line) => {
  for (const { log } of [both.theirs, both.ours]) {
    const duration = Number(log[line]!.split(' ').at(-1));
    expect(duration).toBeGreaterThan(400);
    expect(duration).toBeLessThan(6000);
  }
});
test('counters', () => {
  expect(both.ours.stats).toEqual(both.theirs.stats);
  expect(both.theirs.stats).toHaveProperty(['a.http_bandwidth_limit.request_allowed_total_size'], BODY);
});
