import fc from 'fast-check';
import { RE2JS } from 're2js';
import { expect, test } from 'vitest';
import { DomainIndex } from '../route/virtual-hosts.ts';
import { cidrOf, ipv4Value, ipv6Value } from './cidr.ts';
import { queryParameter } from './query.ts';
import { regexOf } from './regex.ts';
import { rewriteTemplate, uriTemplate } from './uri-template.ts';

test('the shortcut for literal patterns decides as RE2 does', () => {
  const piece = fc.constantFrom(
    'a',
    'b',
    '/',
    '.',
    '\\.',
    '.*',
    '.+',
    '^',
    '$',
    '\\$',
    '-',
    'x*',
    '[ab]',
    '|',
    '\\\\',
    '(a)',
  );
  const patterns = fc.array(piece, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
  const inputs = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', 'x', '$', '-', '\\', '^'), maxLength: 8 });
  fc.assert(
    fc.property(patterns, inputs, (pattern, input) => {
      let compiled: RE2JS;
      try {
        compiled = RE2JS.compile(pattern);
      } catch {
        return;
      }
      expect([pattern, input, regexOf(pattern).matches(input)]).toEqual([pattern, input, compiled.matches(input)]);
    }),
    { numRuns: 3000 },
  );
});

test('a regex sees bytes, not UTF-8', () => {
  const wire = Buffer.from('/é', 'utf8').toString('latin1');
  expect(regexOf('/.').matches(wire)).toBe(false);
  expect(regexOf('/..').matches(wire)).toBe(true);
  expect(regexOf('/é').matches(wire)).toBe(true);
});

test.each([
  ['a*', 'baab', '-', '-b-b-'],
  ['^/a/(.*)$', '/a/b', '/c/\\1', '/c/b'],
  ['(x)|(y)', 'xyz', '[\\1\\2]', '[x][y]z'],
  ['b', 'abc', '\\0\\\\', 'ab\\c'],
])('%s in %s', (pattern, text, substitution, expected) => {
  expect(regexOf(pattern).replaceAll(text, substitution)).toBe(expected);
});

test('IPv4 ranges are arithmetic', () => {
  const byte = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(
      fc.tuple(byte, byte, byte, byte),
      fc.tuple(byte, byte, byte, byte),
      fc.integer({ min: 0, max: 32 }),
      (a, b, length) => {
        const bits = (bytes: readonly number[]): string => bytes.map((n) => n.toString(2).padStart(8, '0')).join('');
        const expected = bits(a).slice(0, length) === bits(b).slice(0, length);
        expect(cidrOf(a.join('.'), length)!.contains(b.join('.'))).toBe(expected);
        expect(cidrOf(a.join('.'), length)!.contains(`::ffff:${b.join('.')}`)).toBe(expected);
      },
    ),
  );
});

test('addresses', () => {
  expect(ipv4Value('1.2.3')).toBeUndefined();
  expect(ipv4Value('1.2.3.256')).toBeUndefined();
  expect(ipv6Value('::1')).toBe(1n);
  expect(ipv6Value('fe80::1%lo')).toBe(0xfe80_0000_0000_0000_0000_0000_0000_0001n);
  expect(ipv6Value('::ffff:1.2.3.4')).toBe(0xffff_0102_0304n);
  expect(cidrOf('fd00::', 8)!.contains('fd12::1')).toBe(true);
  expect(cidrOf('::', 0)!.contains('10.0.0.1')).toBe(false);
  expect(cidrOf('10.0.0.0', 33)!.text).toBe('10.0.0.0/32');
  expect(cidrOf('10.0.0.0', 129)).toBeUndefined();
  expect(cidrOf('host', 8)).toBeUndefined();
});

test('the first value of a query parameter', () => {
  const pair = fc.tuple(
    fc.constantFrom('a', 'ab', 'b', ''),
    fc.option(fc.constantFrom('', '1', 'a=b', '%31'), { nil: undefined }),
  );
  fc.assert(
    fc.property(
      fc.array(pair, { maxLength: 4 }),
      fc.constantFrom('a', 'ab', 'b'),
      fc.boolean(),
      (pairs, name, fragment) => {
        const query = pairs.map(([key, value]) => (value === undefined ? key : `${key}=${value}`)).join('&');
        const found = pairs.find(([key]) => key === name);
        expect(queryParameter(`/path?${query}${fragment ? '#a=9' : ''}`, name)).toBe(
          found === undefined ? undefined : (found[1] ?? ''),
        );
      },
    ),
  );
  expect(queryParameter('/path', 'a')).toBeUndefined();
});

test('a domain index finds what a search through all domains finds', () => {
  const label = fc.string({ unit: fc.constantFrom('a', 'b', '.'), minLength: 1, maxLength: 4 });
  const domain = fc.oneof(
    label,
    label.map((l) => `*${l}`),
    label.map((l) => `${l}*`),
    fc.constant('*'),
  );
  fc.assert(
    fc.property(fc.uniqueArray(domain, { minLength: 1, maxLength: 8 }), label, (domains, host) => {
      const index = new DomainIndex<string>();
      for (const one of domains) expect(index.add(one, one)).toBe(true);
      const longest = (list: string[]): string | undefined => list.sort((a, b) => b.length - a.length)[0];
      const expected =
        domains.find((d) => d === host) ??
        longest(
          domains.filter(
            (d) => d !== '*' && d.startsWith('*') && host.length > d.length - 1 && host.endsWith(d.slice(1)),
          ),
        ) ??
        longest(
          domains.filter(
            (d) =>
              d !== '*' &&
              !d.startsWith('*') &&
              d.endsWith('*') &&
              host.length > d.length - 1 &&
              host.startsWith(d.slice(0, -1)),
          ),
        ) ??
        domains.find((d) => d === '*');
      expect(index.find(host)).toBe(expected);
      expect(index.find(host.toUpperCase())).toBe(expected);
    }),
    { numRuns: 1000 },
  );
});

test('path templates', () => {
  const template = uriTemplate('/a/{x}/{rest=**}');
  expect(template.matches('/a/1/b/c')).toBe(true);
  expect(template.matches('/a/1')).toBe(false);
  expect(template.rewrite('/a/1/b/c', rewriteTemplate('/z/{rest}/{x}', template.variables))).toBe('/z/b/c/1');
  for (const wrong of ['a', '/{x}/{x}', '/**/*', '/{1x}', '/a b', '/{x={y}}'])
    expect(() => uriTemplate(wrong), wrong).toThrow();
  expect(() => rewriteTemplate('/{y}', ['x'])).toThrow();
});
