/** Filters of edges beside real Envoy: CSRF, basic authentication, API keys. */
import { createHash } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { routeTo } from '../process/testing/bootstraps.ts';
import { observeBoth, TYPE, type BesideCase, type Observed } from './testing/beside.ts';

const HTTP = `${TYPE}envoy.extensions.filters.http.`;
const filter = (name: string, type: string, config: object): object => ({
  name: `envoy.filters.http.${name}`,
  typedConfig: { '@type': `${HTTP}${name}.v3.${type}`, ...config },
});
const perRoute = (name: string, type: string, config: object): object => ({
  [`envoy.filters.http.${name}`]: { '@type': `${HTTP}${name}.v3.${type}`, ...config },
});
const request = (line: string, ...fields: string[]): string =>
  [
    `${line} HTTP/1.1`,
    ...(fields.some((f) => f.startsWith('host:')) ? [] : ['host: h.example:8080']),
    ...fields,
    '',
  ].join('\r\n') + '\r\n';
const chance = (numerator: number): object => ({ defaultValue: { numerator } });

const ORIGINS = [
  'origin: http://h.example:8080',
  'origin: https://h.example:8080',
  'origin: http://h.example',
  'origin: http://other.example',
  'origin: http://www.friend.example',
  'origin: null',
  'origin: h.example:8080',
  'origin: HTTP://h.example:8080',
  'origin: http://h.example:8080/path',
  'origin: http://H.example:8080',
  'origin:',
  'origin: ftp://h.example:8080',
  'referer: http://h.example:8080/a?b',
  'referer: http://other.example/a',
  'referer: /relative',
];
const changing = [
  request('GET /'),
  request('POST /', 'content-length: 0'),
  ...['PUT', 'DELETE', 'PATCH', 'OPTIONS'].map((m) => request(`${m} /`, 'origin: http://other', 'content-length: 0')),
  ...ORIGINS.map((origin) => request('POST /', 'content-length: 0', origin)),
  request('POST /', 'content-length: 0', 'origin: http://other', 'referer: http://h.example:8080/'),
  request('POST /', 'content-length: 0', 'origin:', 'referer: http://h.example:8080/'),
];
const csrf = { filterEnabled: chance(100), additionalOrigins: [{ suffix: 'friend.example' }] };

const sha = (password: string): string => `{SHA}${createHash('sha1').update(password).digest('base64')}`;
const users = { inlineString: `alice:${sha('secret')}\nbob:${sha('a:b')}\nempty:${sha('')}\n` };
const basic = (text: string): string => `authorization: Basic ${Buffer.from(text).toString('base64')}`;
const CREDENTIALS = [
  [],
  ['authorization:'],
  [basic('alice:secret')],
  [basic('bob:a:b')],
  [basic('empty:')],
  [basic('alice:wrong')],
  [basic('alice')],
  [basic('nobody:secret')],
  [basic('alice:secret').replace('Basic', 'basic')],
  [basic('alice:secret').replace('Basic', 'Bearer')],
  ['authorization: Basic'],
  ['authorization: Basic ???'],
  [`${basic('alice:secret')}=`],
  [basic('alice:secret').replace(/=+$/, '')],
  [basic('alice:secret').replace('Basic ', 'Basic  ')],
  [basic('alice:secret'), basic('bob:a:b')],
  [basic('carol:x')],
  ['x-credentials: Basic YWxpY2U6c2VjcmV0', 'x-user: mallory'],
];
const visits = (line: string): string[] => CREDENTIALS.map((fields) => request(line, ...fields));

const KEYS = {
  credentials: [
    { key: 'key-1', client: 'one' },
    { key: 'key-2', client: 'two' },
  ],
  keySources: [{ header: 'X-API-Key' }, { query: 'key' }, { cookie: 'key' }],
};
const keyed = [
  request('GET /'),
  request('GET /', 'x-api-key: key-1'),
  request('GET /', 'x-api-key: Bearer key-1'),
  request('GET /', 'x-api-key: bearer key-1'),
  request('GET /', 'x-api-key: key-3'),
  request('GET /', 'x-api-key:'),
  request('GET /', 'x-api-key: key-1', 'x-api-key: key-2'),
  request('GET /?key=key-2&a=b'),
  request('GET /?a=b&key=key%2D2'),
  request('GET /?key=&key=key-2'),
  request('GET /?key'),
  request('GET /?key=key-3', 'cookie: key=key-1'),
  request('GET /', 'cookie: a=b; key=key-1'),
  request('GET /', 'cookie: a=b', 'cookie: key="key-1"'),
  request('GET /', 'cookie: key=key-2;x'),
  request('GET /?key=key-2', 'x-api-key: key-1', 'cookie: key=key-1; other=1', 'x-client: mallory'),
];

const hidden = [
  request('GET /?z=1&key=key-2&a=b%20c&a=2&e'),
  request('GET /?key=key-2'),
  request('GET /x?a=%26&key=key-2&b=1+2'),
  request('GET /', 'cookie: b=2;key=key-1; a="1"; x; b=3'),
  request('GET /', 'cookie: key=key-1; key=key-2'),
  request('GET /?z=1&a=%26', 'x-api-key: key-1', 'cookie: x'),
  request('GET /', 'cookie: a=1; a=2; key=key-1'),
  request('GET /', 'cookie: a=1; key=key-3', 'x-api-key: key-1'),
  request('GET /', 'cookie: a="1"; a=""; b="; =x', 'x-api-key: key-1'),
  request('GET /', 'cookie: z=1; key=key-1', 'cookie: key=key-2; y=2'),
];

const CASES: readonly BesideCase[] = [
  { name: 'CSRF', filters: [filter('csrf', 'CsrfPolicy', csrf)], ask: changing },
  {
    name: 'CSRF, counted only',
    filters: [filter('csrf', 'CsrfPolicy', { ...csrf, filterEnabled: chance(0), shadowEnabled: chance(100) })],
    ask: changing.slice(0, 12),
  },
  {
    name: 'CSRF, off',
    filters: [filter('csrf', 'CsrfPolicy', { filterEnabled: chance(0) })],
    ask: changing.slice(0, 12),
  },
  {
    name: 'CSRF, of the route',
    filters: [filter('csrf', 'CsrfPolicy', { filterEnabled: chance(0) })],
    perRoute: perRoute('csrf', 'CsrfPolicy', csrf),
    ask: changing.slice(0, 12),
  },
  {
    name: 'basic authentication',
    filters: [filter('basic_auth', 'BasicAuth', { users })],
    ask: visits('GET /a/b?c=d'),
  },
  {
    name: 'basic authentication with headers of its own',
    filters: [
      filter('basic_auth', 'BasicAuth', {
        users,
        forwardUsernameHeader: 'X-User',
        authenticationHeader: 'X-Credentials',
      }),
    ],
    ask: visits('GET /'),
  },
  {
    name: 'basic authentication of the route',
    filters: [filter('basic_auth', 'BasicAuth', { users, forwardUsernameHeader: 'x-user' })],
    perRoute: perRoute('basic_auth', 'BasicAuthPerRoute', { users: { inlineString: `carol:${sha('x')}` } }),
    ask: visits('GET /'),
  },
  { name: 'API keys', filters: [filter('api_key_auth', 'ApiKeyAuth', KEYS)], ask: keyed },
  {
    name: 'API keys, forwarded',
    filters: [
      filter('api_key_auth', 'ApiKeyAuth', { ...KEYS, forwarding: { header: 'X-Client', hideCredentials: true } }),
    ],
    ask: [...keyed, ...hidden],
  },
  {
    name: 'API keys of the route',
    filters: [filter('api_key_auth', 'ApiKeyAuth', KEYS)],
    routes: [
      {
        ...routeTo('up'),
        match: { path: '/two' },
        typedPerFilterConfig: perRoute('api_key_auth', 'ApiKeyAuthPerRoute', { allowedClients: ['two'] }),
      },
      {
        ...routeTo('up'),
        match: { path: '/other' },
        typedPerFilterConfig: perRoute('api_key_auth', 'ApiKeyAuthPerRoute', {
          credentials: [{ key: 'k', client: 'k' }],
          keySources: [{ header: 'x-k' }],
          forwarding: { header: 'x-client' },
        }),
      },
    ],
    ask: ['/two', '/other'].flatMap((path) => [
      request(`GET ${path}`, 'x-api-key: key-1'),
      request(`GET ${path}`, 'x-api-key: key-2'),
      request(`GET ${path}`, 'x-k: k'),
    ]),
  },
  {
    name: 'API keys that nobody has',
    filters: [filter('api_key_auth', 'ApiKeyAuth', { keySources: [{ header: 'k' }] })],
    ask: [request('GET /'), request('GET /', 'k: k')],
  },
  {
    name: 'API keys from nowhere',
    filters: [filter('api_key_auth', 'ApiKeyAuth', { credentials: KEYS.credentials })],
    ask: [request('GET /'), request('GET /', 'k: k')],
  },
];

let theirs: Observed;
let ours: Observed;
beforeAll(async () => {
  const logFormat = '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%';
  const statsFilter = '\\.(csrf|basic_auth|api_key_auth)\\.';
  ({ theirs, ours } = await observeBoth(
    CASES.map((one) => ({ ...one, more: { delayedCloseTimeout: '0.05s' } })),
    { clusters: {}, logFormat, statsFilter },
  ));
}, 120_000);

test.each(
  CASES.flatMap(({ name, ask }, i) =>
    ask.map((text, j) => [`${name}: ${text.trim().replaceAll('\r\n', ' | ')}`, i, j] as const),
  ),
)('%s', (_name, i, j) => {
  expect(ours.answers[i]![j]).toBe(theirs.answers[i]![j]);
});
test('log lines', () => {
  expect(theirs.log.length).toBe(CASES.reduce((sum, { ask }) => sum + ask.length, 0));
  expect(ours.log.toSorted()).toEqual(theirs.log.toSorted());
});
test('counters', () => {
  expect(Object.keys(theirs.stats).length).toBeGreaterThan(10);
  expect(ours.stats).toEqual(theirs.stats);
});
