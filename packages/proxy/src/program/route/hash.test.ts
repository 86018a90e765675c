import { expect, test } from 'vitest';
import { Headers } from '../../http/headers.ts';
import { xxHash64 } from '../../lb/xxhash64.ts';
import type { ConnectionInfo, RequestHead } from '../../types.ts';
import { CompileContext } from '../context.ts';
import { OfflineStream } from '../offline-stream.ts';
import { testDeps } from '../testing/deps.ts';
import { compileHashPolicies } from './hash.ts';
import { xxHash64Seeded } from './xxhash64-seeded.ts';

const connection = {
  id: 1,
  directRemoteAddress: '10.0.0.7',
  remotePort: 1,
  localAddress: '10.0.0.1',
  localPort: 2,
  tls: undefined,
  requestedServerName: '',
  applicationProtocol: '',
} satisfies ConnectionInfo;

function key(policies: object[], path: string, ...flat: string[]) {
  const context = new CompileContext('t', 'r', testDeps);
  const hash = compileHashPolicies(context, policies, [])!;
  expect(context.nacks).toEqual([]);
  const request: RequestHead = { method: 'GET', path, authority: 'h', scheme: 'http', headers: new Headers(flat) };
  return hash(request, new OfflineStream(request, connection, undefined, testDeps.random));
}
const rotate = (x: bigint): bigint => ((x << 1n) & ((1n << 64n) - 1n)) | (x >> 63n);

test('the seeded hash without a seed is the hash', () => {
  for (const text of ['', 'a', 'abcd', 'abcdefgh', 'x'.repeat(31), 'x'.repeat(32), 'é'.repeat(40)])
    expect(xxHash64Seeded(text, 0n)).toBe(xxHash64(text));
  // A known answer, of the reference implementation.
  expect(xxHash64Seeded('', 1n)).toBe(0xd5afba1336a3be4bn);
});

test('one policy', () => {
  const header = { header: { headerName: 'X-User' } };
  expect(key([header], '/', 'x-user', 'ann').key).toBe(xxHash64('ann'));
  expect(key([header], '/').key).toBeUndefined();
  expect(key([{ header: { headerName: ':path' } }], '/p?q').key).toBe(xxHash64('/p?q'));
  expect(key([{ queryParameter: { name: 'q' } }], '/p?a=1&q=2').key).toBe(xxHash64('2'));
  expect(key([{ connectionProperties: { sourceIp: true } }], '/').key).toBe(xxHash64('10.0.0.7'));
  expect(
    key(
      [{ header: { headerName: 'x-user', regexRewrite: { pattern: { regex: 'n+' }, substitution: '-' } } }],
      '/',
      'x-user',
      'ann',
    ).key,
  ).toBe(xxHash64('a-'));
});

test('repeated headers count whatever their order', () => {
  const header = { header: { headerName: 'x-user' } };
  const expected = xxHash64Seeded('b', xxHash64('a'));
  expect(key([header], '/', 'x-user', 'a', 'x-user', 'b').key).toBe(expected);
  expect(key([header], '/', 'x-user', 'b', 'x-user', 'a').key).toBe(expected);
});

test('policies are combined, up to a terminal one that applies', () => {
  const one = { header: { headerName: 'x-one' } };
  const two = { header: { headerName: 'x-two' } };
  expect(key([one, two], '/', 'x-one', 'a', 'x-two', 'b').key).toBe(rotate(xxHash64('a')) ^ xxHash64('b'));
  expect(key([{ ...one, terminal: true }, two], '/', 'x-one', 'a', 'x-two', 'b').key).toBe(xxHash64('a'));
  expect(key([{ ...one, terminal: true }, two], '/', 'x-two', 'b').key).toBe(xxHash64('b'));
});

test('a cookie is made when it is missing and has a time to live', () => {
  const cookie = {
    cookie: { name: 'session', ttl: '60s', path: '/shop', attributes: [{ name: 'SameSite', value: 'Lax' }] },
  };
  expect(key([cookie], '/', 'cookie', 'a=b; session="s1"').key).toBe(xxHash64('s1'));
  const made = key([cookie], '/');
  const [, value] =
    /^session="([0-9a-f]{16})"; Max-Age=60; Path=\/shop; SameSite=Lax; HttpOnly$/.exec(made.setCookie ?? '') ?? [];
  expect(made.key).toBe(xxHash64(value!));
  expect(key([{ cookie: { name: 'session' } }], '/')).toEqual({ key: undefined });
});
