import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TypeUrl } from '@mizzen/xds';
import { ManualClock } from '../manual-clock.ts';
import { XdsServer } from '../xds/server.ts';
import { configOf } from '../xds/test-config.ts';
import { LineReader } from './lines.ts';
import { parseRequest, toDelta } from './request.ts';

test('a request is read or refused by name, and what is read never breaks a stream', () => {
  const name = fc.constantFrom('a', '*', 'listener-80', '', '__proto__');
  const names = fc.array(name);
  const refusals = fc.array(fc.record({ resource: name, field: name, message: name }));
  const anything = fc.oneof(
    name,
    names,
    fc.dictionary(name, name),
    fc.integer(),
    fc.constant(null),
    refusals,
    fc.boolean(),
  );
  const mostly = <T>(usual: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
    fc.oneof({ weight: 30, arbitrary: fc.option(usual, { nil: undefined }) }, { weight: 1, arbitrary: anything });
  const request = fc.record({
    node: fc.oneof({ weight: 30, arbitrary: fc.constant('n') }, anything),
    typeUrl: mostly(fc.constantFrom(...Object.values(TypeUrl), 'other')),
    subscribe: mostly(names),
    unsubscribe: mostly(names),
    initialResourceVersions: mostly(fc.dictionary(name, name)),
    responseNonce: mostly(fc.constantFrom('1', '2', '3', '')),
    errors: mostly(refusals),
  });
  let read = 0;
  fc.assert(
    fc.property(fc.array(request, { maxLength: 20 }), (requests) => {
      const server = new XdsServer({ clock: new ManualClock() });
      server.commit(new Map([['n', configOf({ clusters: { a: 1 }, endpoints: { a: 1 }, routes: { '80': ['a'] } })]]));
      const stream = server.open('n', { send: () => undefined, writable: () => true });
      for (const each of requests) {
        let parsed;
        try {
          parsed = parseRequest(JSON.stringify(each));
        } catch (error) {
          expect((error as Error).message).toMatch(/^a request has (?:a bad|no) `\w+`$/);
          continue;
        }
        read += 1;
        stream.request(toDelta(parsed));
      }
      server.close(stream);
    }),
    { numRuns: 500 },
  );
  expect(read).toBeGreaterThan(100);
});

test('lines come out whole however the bytes are cut, up to the limit', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', '')),
        { maxLength: 10 },
      ),
      fc.array(fc.nat(20)),
      (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const out: string[] = [];
        const reader = new LineReader(1000, (line) => out.push(line));
        let from = 0;
        for (const cut of [...cuts, bytes.length]) {
          expect(reader.push(bytes.subarray(from, from + cut))).toBe(true);
          from += cut;
        }
        expect(out).toEqual(lines.filter((line) => line !== ''));
      },
    ),
  );
  const reader = new LineReader(10, () => undefined);
  expect(reader.push(Buffer.from('0123456789\n01234'))).toBe(true);
  expect(reader.push(Buffer.from('567890'))).toBe(false);
  expect(new LineReader(10, () => undefined).push(Buffer.from('0123456789a\n'))).toBe(false);
});
