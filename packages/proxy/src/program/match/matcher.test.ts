import { expect, test } from 'vitest';
import { CompileContext } from '../context.ts';
import { testDeps } from '../testing/deps.ts';
import { wire } from '../values.ts';
import { compileMatcher, type MatcherKind } from './matcher.ts';

const kind: MatcherKind<string, string> = {
  input: () => (text) => text,
  action: (_context, action) => action?.name,
};

test.each(['exactMatchMap', 'prefixMatchMap'])('keys of a `%s` are compared as they are on the wire', (field) => {
  const context = new CompileContext('type', 'resource', testDeps);
  const config = { matcherTree: { input: {}, [field]: { map: { é: { action: { name: 'found' } } } } } };
  const choose = compileMatcher(context, config, kind, []);
  expect(context.nacks).toEqual([]);
  expect(choose(wire('é'))).toBe('found');
  expect(choose('é')).toBeUndefined();
});
