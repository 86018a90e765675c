import { beforeAll, expect, test } from 'vitest';
import { observeBoth, TYPE, type BesideCase, type Observed } from './testing/beside.ts';

const TO_METADATA = `${TYPE}envoy.extensions.filters.http.header_to_metadata.v3.Config`;
const toMetadata = (config: object): object => ({ name: 'marks', typedConfig: { '@type': TO_METADATA, ...config } });
const tagging = (config: object): object => ({
  name: 'tags',
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.ip_tagging.v3.IPTagging`, ...config },
});
const get = (path: string, ...fields: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'host: h', ...fields, '', ''].join('\r\n');
const base64 = (...bytes: number[]): string => Buffer.from(bytes).toString('base64');
const rewriting = (regex: string, substitution: string): object => ({
  regexValueRewrite: { pattern: { regex }, substitution },
});
const field = (header: string, onHeaderPresent: object, more: object = {}): object => ({
  header,
  onHeaderPresent,
  ...more,
});

const range = (addressPrefix: string, prefixLen: number): object => ({ addressPrefix, prefixLen });
const ipTags = [
  { ipTagName: 'ten', ipList: [range('10.0.0.0', 8), range('172.16.0.0', 12)] },
  { ipTagName: 'six', ipList: [range('2001:db8::', 32)] },
  { ipTagName: 'ten', ipList: [range('11.0.0.0', 8)] },
];
const from = (address: string, ...fields: string[]): string => get('/', `x-forwarded-for: ${address}`, ...fields);
const clients = [
  from('10.0.0.1', 'x-t: a', 'x-t: b', 'x-envoy-ip-tags: q'),
  from('9.9.9.9', 'x-t: a', 'x-envoy-ip-tags: q'),
  from('2001:db8::1'),
  from('11.0.0.1'),
];
const ROUTES = [
  { match: { prefix: '/', headers: [{ name: 'x-t', presentMatch: true }] }, directResponse: { status: 201 } },
  {
    match: { prefix: '/', headers: [{ name: 'x-envoy-ip-tags', presentMatch: true }] },
    directResponse: { status: 202 },
  },
  { match: { prefix: '/' }, directResponse: { status: 200 } },
];

const CASES: readonly BesideCase[] = [
  {
    name: 'fields and cookies',
    filters: [
      toMetadata({
        statPrefix: 'fields',
        requestRules: [
          field('X-A', { key: 'a' }, { onHeaderMissing: { key: 'a', value: 'none' }, remove: true }),
          { cookie: 'c', onHeaderPresent: { key: 'c' }, onHeaderMissing: { key: 'c', value: '1', type: 'NUMBER' } },
          field('x-b', { key: 'b', metadataNamespace: 'other' }),
          field('x-b', { key: 'fixed', value: 'v', metadataNamespace: 'other' }),
          field(':path', { key: 'path', ...rewriting('^/(\\w+)/.*', '<\\1>') }),
          field('host', { key: 'host' }),
          { header: 'x-none', onHeaderMissing: { key: 'none', value: 'x' } },
          field('x-absent', { key: 'never' }),
        ],
        responseRules: [
          field('x-up', { key: 'up' }, { remove: true }),
          field(':status', { key: 'status', type: 'NUMBER' }),
          { cookie: 'c', onHeaderPresent: { key: 'rc' }, onHeaderMissing: { key: 'rc', value: 'none' } },
        ],
      }),
    ],
    ask: [
      get('/p/q', 'x-a: 1', 'X-A: 2', 'x-b: b', 'cookie: a=1; c="x y"; c=z'),
      get('/p', 'x-a:', 'x-none: 1', 'cookie: c='),
      get('/', 'x-b: \xc3\xa9'),
    ],
  },
  {
    name: 'numbers',
    filters: [toMetadata({ statPrefix: 'numbers', requestRules: [field('x', { key: 'n', type: 'NUMBER' })] })],
    ask: [
      '1',
      ' 3.5',
      '1e3',
      '.5',
      '1.',
      '+5',
      '-2',
      '0x1p3',
      '-0x1.8',
      '0x',
      '1e',
      '+-1',
      '1_0',
      '1.5.2',
      'nan',
      'q',
      '',
    ].map((value) => get('/', `x: ${value}`)),
  },
  {
    name: 'what is encoded',
    filters: [
      toMetadata({
        statPrefix: 'encoded',
        requestRules: [
          field('x-s', { key: 's', encode: 'BASE64' }),
          field('x-p', { key: 'p', encode: 'BASE64', type: 'PROTOBUF_VALUE' }),
        ],
      }),
    ],
    ask: [
      ...['aGVsbG8', 'aGVsbG8=', 'aGVsbG8==', 'a', 'aGV sbG8', '!!', 'aGVsbG9', '_-8='].map((value) =>
        get('/', `x-s: ${value}`),
      ),
      ...[
        base64(0x1a, 3, 97, 98, 99),
        base64(0x1a, 3, 97, 98, 99, 0x20, 1),
        base64(0x11, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f),
        base64(0x08, 0),
        base64(0x2a, 7, 10, 5, 10, 1, 97, 18, 0),
        base64(0x32, 8, 10, 2, 0x20, 1, 10, 2, 0x1a, 0),
        base64(0xff, 0xff),
        base64(0x1a, 9, 97),
      ].map((value) => get('/', `x-p: ${value}`)),
    ],
  },
  {
    name: 'what is not taken over',
    filters: [
      toMetadata({
        statPrefix: 'untaken',
        requestRules: [
          field('x-long', { key: 'a' }),
          field('x-gone', { key: 'b', ...rewriting('.*', '') }),
          field('x-same', { key: 'c', ...rewriting('b', '') }),
        ],
      }),
    ],
    ask: [
      get('/', `x-long: ${'a'.repeat(8191)}`),
      get('/', `x-long: ${'a'.repeat(8192)}`),
      get('/', 'x-gone: 1', 'x-same: a'),
      get('/', 'x-gone:', 'x-same: b'),
    ],
  },
  {
    name: 'rules of routes',
    filters: [
      toMetadata({ requestRules: [field('x', { key: 'filter' })], responseRules: [field('x-up', { key: 'up' })] }),
    ],
    perRoute: {
      marks: { '@type': TO_METADATA, statPrefix: 'route', requestRules: [field('x', { key: 'route' })] },
    },
    ask: [get('/', 'x: 1')],
  },
  {
    name: 'values beside others',
    filters: [
      toMetadata({ requestRules: [field('x', { key: 'a', metadataNamespace: 'other' })] }),
      {
        name: 'marks2',
        typedConfig: {
          '@type': TO_METADATA,
          requestRules: [
            field('y', { key: 'b', metadataNamespace: 'other' }),
            field('z', { key: 'a', metadataNamespace: 'other' }),
          ],
        },
      },
    ],
    ask: [get('/', 'x: 1', 'y: 2'), get('/', 'x: 1', 'z: 2')],
  },
  { name: 'tags', filters: [tagging({ ipTags })], ask: clients },
  {
    name: 'tags in a field of their own',
    filters: [tagging({ ipTags, ipTagHeader: { header: 'X-T' } })],
    ask: clients,
  },
  {
    name: 'tags beside what is there',
    filters: [tagging({ ipTags, ipTagHeader: { header: 'x-t', action: 'APPEND_IF_EXISTS_OR_ADD' } })],
    ask: clients,
  },
  ...['INTERNAL', 'EXTERNAL'].map((requestType) => ({
    name: `tags of ${requestType}`,
    filters: [
      {
        name: 'mark',
        typedConfig: {
          '@type': `${TYPE}envoy.extensions.filters.http.header_mutation.v3.HeaderMutation`,
          mutations: {
            requestMutations: [{ append: { header: { key: 'x-envoy-internal', value: '%REQ(x-inside)%' } } }],
          },
        },
      },
      tagging({ ipTags, requestType }),
    ],
    ask: [from('10.0.0.1', 'x-inside: true'), from('10.0.0.1', 'x-inside: yes'), from('10.0.0.1')],
  })),
  { name: 'routes by tags', filters: [tagging({ ipTags })], routes: ROUTES, ask: [from('10.0.0.1'), from('9.9.9.9')] },
  {
    name: 'routes by tags that are gone',
    filters: [tagging({ ipTags, ipTagHeader: { header: 'x-t' } })],
    routes: ROUTES,
    ask: [from('9.9.9.9', 'x-t: 1'), from('9.9.9.9')],
  },
];

let both: { readonly theirs: Observed; readonly ours: Observed };
beforeAll(async () => {
  both = await observeBoth(
    CASES.map((one) => ({ ...one, more: { ...one.more, useRemoteAddress: false } })),
    {
      clusters: {},
      logFormat: '%DYNAMIC_METADATA(envoy.filters.http.header_to_metadata)% %DYNAMIC_METADATA(other)%',
      statsFilter: 'http_filter_name|ip_tagging',
    },
  );
}, 60_000);

test.each(CASES.map(({ name }, i) => [name, i] as const))('%s', (_, i) => {
  expect(both.ours.answers[i]).toEqual(both.theirs.answers[i]);
  const logged = (of: Observed): readonly string[] => of.log.filter((line) => line.startsWith(`LOG ${i} `));
  expect(logged(both.ours)).toEqual(logged(both.theirs));
});
test('counters', () => {
  expect(both.ours.stats).toEqual(both.theirs.stats);
  expect(both.theirs.stats).toHaveProperty('http_filter_name.encoded.base64_decode_failed');
});
