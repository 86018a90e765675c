import { afterAll, beforeAll, expect, test } from 'vitest';
import { observeBoth, startRaw, TYPE, type BesideCase, type Echo, type Observed } from '../testing/beside.ts';

const STATES = 'envoy.extensions.http.stateful_session.';
const FILTER = `${TYPE}envoy.extensions.filters.http.stateful_session.v3.StatefulSession`;
const sessions = (type: string, state: object, more: object = {}): object => ({
  sessionState: {
    name: `envoy.http.stateful_session.${type.split('.')[0]}`,
    typedConfig: { '@type': TYPE + STATES + type, ...state },
  },
  statPrefix: 'sessions',
  ...more,
});
const filter = (config: object): object => ({ name: 'sessions', typedConfig: { '@type': FILTER, ...config } });
const inCookie = (cookie: object, more?: object): object =>
  filter(sessions('cookie.v3.CookieBasedSessionState', { cookie }, more));
const header = (more?: object): object => sessions('header.v3.HeaderBasedSessionState', { name: 'X-Session' }, more);
const inHeader = (more?: object): object => filter(header(more));
const inEnvelope = (more?: object): object =>
  filter(sessions('envelope.v3.EnvelopeSessionState', { header: { name: 'x-own' } }, more));
const get = (path: string, ...fields: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'host: h', ...fields, '', ''].join('\r\n');
const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
const endpoint = (portValue: number, more: object = {}): object => ({
  endpoint: { address: { socketAddress: { address: '127.0.0.1', portValue } } },
  ...more,
});
const members = (name: string, ...lbEndpoints: object[]): object => ({
  loadAssignment: { clusterName: name, endpoints: [{ lbEndpoints }] },
});
const to = (cluster: string, more: object = {}): object[] => [{ match: { prefix: '/' }, route: { cluster, ...more } }];
const below = (name: string): object => ({ match: { prefix: `/${name}` }, route: { cluster: name } });
const perRoute = (config: object): object[] => [
  {
    ...to('two')[0],
    typedPerFilterConfig: {
      sessions: {
        '@type': `${TYPE}envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute`,
        ...config,
      },
    },
  },
];
const NOWHERE = base64('127.0.0.1:1');
/** Ports of the upstreams, known before the cases are made. */
let first: Echo;
let second: Echo;
let both: { readonly theirs: Observed; readonly ours: Observed };
const said = (name: string) => (request: string) => {
  const own = /\r\nx-own: ([^\r]*)/.exec(request)?.[1] ?? 'none';
  const answered = request.startsWith('GET /bare') ? '' : 'x-own: value\r\n';
  return `HTTP/1.1 200 OK\r\n${answered}x-session: theirs\r\ncontent-length: ${own.length + 1}\r\nx-last: 1\r\n\r\n${name}${own}`;
};
/** A cookie that is forgotten at a second. */
const lasting = (address: string, seconds: number): string => {
  const varint: number[] = [];
  for (let left = seconds; left > 0; left = Math.floor(left / 128)) varint.push((left % 128) | (left > 127 ? 128 : 0));
  return base64(`\n${String.fromCharCode(address.length)}${address}\x10${String.fromCharCode(...varint)}`);
};

const NAMES = [
  'cookies',
  'cookies that stay',
  'a field',
  'an envelope',
  'no other host',
  'another status',
  'health',
  'tried elsewhere',
  'routes without',
  'routes of their own',
  'no state',
];

function cases(): BesideCase[] {
  const there = base64(`127.0.0.1:${second.port}`);
  const address = `127.0.0.1:${second.port}`;
  const now = Math.floor(Date.now() / 1000);
  const attributes = [{ name: 'SameSite', value: 'Strict' }, { name: 'Partitioned' }];
  return [
    {
      name: 'cookies',
      filters: [inCookie({ name: 'c', path: '/p', attributes })],
      routes: to('one'),
      ask: [
        get('/p'),
        get('/p/q', `cookie: a=b; c=${there}`),
        get('/p?c', `cookie: c="${there}"`),
        get('/pq', `cookie: c=${there}`),
        get('/p', 'cookie: c=??'),
        get('/p', `cookie: c=${NOWHERE}`),
        get('/p', `cookie: c=${there.replace(/=+$/, '')}A`),
      ],
    },
    {
      name: 'cookies that stay',
      filters: [inCookie({ name: 'c', path: '/', ttl: '3600s' })],
      routes: to('two'),
      ask: [
        get('/', `cookie: c=${lasting(address, now + 1000)}`),
        get('/', `cookie: c=${lasting(address, now + 1000)}`),
        get('/', `cookie: c=${there}`),
      ],
    },
    {
      name: 'a field',
      filters: [inHeader()],
      routes: to('one'),
      ask: [get('/'), get('/', `x-session: ${there}`), get('/', `x-session: ${NOWHERE}`), get('/', 'x-session: ??')],
    },
    {
      name: 'an envelope',
      filters: [inEnvelope()],
      routes: to('one'),
      ask: [
        get('/'),
        get('/', `x-own: ${there};UV:${base64('mine')}`, 'x-z: 1'),
        get('/', `x-own: ${there}`),
        get('/', `x-own: ;UV:${base64('mine')}`),
        get('/', `x-own: ${there};a;;UV:${base64('mine')};UV:x`),
        get('/', `x-own: ${there};UV:??`),
        get('/bare', `x-own: ${there};UV:${base64('mine')}`),
        get('/bare', `x-own: ${NOWHERE};UV:${base64('mine')}`),
      ],
    },
    {
      name: 'no other host',
      filters: [inHeader({ strict: true })],
      routes: to('two'),
      ask: [get('/', `x-session: ${there}`), get('/', `x-session: ${NOWHERE}`)],
    },
    {
      name: 'another status',
      filters: [inHeader({ strict: true, statusOnStrictDestinationNotFound: 410 })],
      routes: [...['unhealthy', 'draining', 'both'].map(below), ...to('two')],
      ask: [
        get('/', `x-session: ${NOWHERE}`),
        ...['unhealthy', 'draining', 'both'].map((name) => get(`/${name}`, `x-session: ${there}`)),
      ],
    },
    {
      name: 'health',
      filters: [inHeader({ strict: true })],
      routes: ['unhealthy', 'draining', 'degraded', 'allowed'].map(below),
      ask: ['unhealthy', 'draining', 'degraded', 'allowed'].map((name) => get(`/${name}`, `x-session: ${there}`)),
    },
    {
      name: 'tried elsewhere',
      filters: [inHeader({ strict: true })],
      routes: to('dead', {
        retryPolicy: {
          retryOn: 'connect-failure',
          numRetries: 2,
          retryHostPredicate: [
            {
              name: 'previous',
              typedConfig: { '@type': `${TYPE}envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate` },
            },
          ],
          hostSelectionRetryMaxAttempts: 5,
        },
      }),
      ask: [get('/', `x-session: ${NOWHERE}`)],
    },
    {
      name: 'routes without',
      filters: [inHeader()],
      routes: perRoute({ disabled: true }),
      ask: [get('/', `x-session: ${NOWHERE}`)],
    },
    {
      name: 'routes of their own',
      filters: [filter({ statPrefix: 'sessions' })],
      routes: perRoute({ statefulSession: header({ strict: true }) }),
      ask: [get('/', `x-session: ${there}`), get('/', `x-session: ${NOWHERE}`)],
    },
    {
      name: 'no state',
      filters: [filter({ statPrefix: 'sessions' })],
      routes: to('one'),
      ask: [get('/')],
    },
  ];
}

beforeAll(async () => {
  first = await startRaw(said('a'));
  second = await startRaw(said('b'));
  const { port } = second;
  const clusters = {
    one: port,
    two: port,
    dead: port,
    unhealthy: port,
    draining: port,
    degraded: port,
    allowed: port,
    both: port,
  };
  const beside = (name: string, healthStatus: string, more: object = {}): object => ({
    ...members(name, endpoint(first.port), endpoint(port, { healthStatus })),
    ...more,
  });
  both = await observeBoth(cases(), {
    clusters,
    clusterOptions: {
      two: members('two', endpoint(first.port), endpoint(port)),
      both: {
        type: undefined,
        loadAssignment: undefined,
        lbPolicy: 'CLUSTER_PROVIDED',
        clusterType: {
          name: 'envoy.clusters.aggregate',
          typedConfig: {
            '@type': `${TYPE}envoy.extensions.clusters.aggregate.v3.ClusterConfig`,
            clusters: ['one', 'two'],
          },
        },
      },
      dead: members('dead', endpoint(1), endpoint(port)),
      unhealthy: beside('unhealthy', 'UNHEALTHY'),
      draining: beside('draining', 'DRAINING'),
      degraded: beside('degraded', 'DEGRADED'),
      allowed: beside('allowed', 'DRAINING', { commonLbConfig: { overrideHostStatus: { statuses: ['DRAINING'] } } }),
    },
    logFormat: '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %UPSTREAM_REQUEST_ATTEMPT_COUNT%',
    statsFilter: 'stateful_session|cluster.two.upstream_rq_\\d',
  });
}, 60_000);
afterAll(async () => {
  await first.stop();
  await second.stop();
});

/** Which of two hosts is first is a matter of chance, and so is what is said of it. */
const known = (answer: string): string =>
  /\r\n\r\nb/.test(answer) || answer.includes('no healthy')
    ? answer
    : answer.replace(/MTI3[\w=]+/, 'HOST').replace(/a(?=\w*$)/, 'b');

test.each(NAMES.map((name, i) => [name, i] as const))('%s', (_, i) => {
  const answers = ({ answers: all }: Observed): string[] => all[i]!.map(known);
  expect(answers(both.ours)).toEqual(answers(both.theirs));
  const logged = (of: Observed): readonly string[] => of.log.filter((line) => line.startsWith(`LOG ${i} `));
  if (i !== NAMES.indexOf('tried elsewhere')) expect(logged(both.ours)).toEqual(logged(both.theirs));
});
test('counters', () => {
  expect(both.ours.stats).toEqual(both.theirs.stats);
  expect(Object.keys(both.theirs.stats).length).toBeGreaterThan(8);
});
