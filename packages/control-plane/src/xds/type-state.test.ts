import { TypeUrl } from '@mizzen/xds';
import { expect, test } from 'vitest';
import { IndexEncoder } from './node-resources.ts';
import { ResourceEncoder } from './resource.ts';
import { type Desired, type Difference, TypeState } from './type-state.ts';

/** Resources by name, each with a number that stands for its content. */
type Content = Readonly<Record<string, number>>;

let encoder: IndexEncoder;
const desired = (content: Content): Desired =>
  encoder.index(
    Object.entries(content).map(([name, value]) => ({ name, value })),
    ({ name }) => name,
  );

/** A proxy that has everything in `content`. */
function settled(names: readonly string[], content: Content): { state: TypeState; at: Desired } {
  encoder = new IndexEncoder(new ResourceEncoder());
  const state = new TypeState(TypeUrl.cluster);
  const at = desired(content);
  state.subscribe(names, {});
  send(state, state.difference(at));
  expect(texts(state.difference(at))).toEqual({ upserts: [], absent: [], removed: [] });
  return { state, at };
}

let nonce = 0;
function send(state: TypeState, { upserts, absent, removed }: Difference): void {
  state.send(String(++nonce), upserts, [...absent, ...removed]);
}
function texts({ upserts, absent, removed }: Difference): unknown {
  return { upserts: upserts.map(({ json }) => json), absent, removed };
}

const a = { a: 1, b: 1 };
const one = (value: number): string => JSON.stringify({ name: 'a', value });

test.each<readonly [string, readonly string[]]>([
  ['everything', ['*']],
  ['names', ['a', 'b', 'c']],
])(
  'what was changed, added or removed and is as before again is sent again, to a proxy that follows %s',
  (_, names) => {
    for (const other of [{ a: 2, b: 1 }, { b: 1 }] as readonly Content[]) {
      const { state, at } = settled(names, a);
      const changed = desired(other);
      const first = state.difference(changed);
      expect(texts(first)).toEqual(
        'a' in other ? { upserts: [one(2)], absent: [], removed: [] } : { upserts: [], absent: [], removed: ['a'] },
      );
      send(state, first);
      expect(texts(state.difference(at))).toEqual({ upserts: [one(1)], absent: [], removed: [] });
    }
  },
);

test('what a proxy never followed and what it never had is no news', () => {
  const { state } = settled(['a'], a);
  expect(texts(state.difference(desired({ a: 1, b: 2 })))).toEqual({ upserts: [], absent: [], removed: [] });
  const all = settled(['*'], a);
  const more = desired({ ...a, c: 1 });
  expect(all.state.difference(more).upserts).toHaveLength(1);
  // It went before it was sent.
  expect(texts(all.state.difference(desired(a)))).toEqual({ upserts: [], absent: [], removed: [] });
  send(all.state, all.state.difference(more));
  const gone = all.state.difference(desired(a));
  expect(gone.removed).toEqual(['c']);
  send(all.state, gone);
  expect(texts(all.state.difference(desired(a)))).toEqual({ upserts: [], absent: [], removed: [] });
});

test('what happens to a name counts although nothing differs in what is desired', () => {
  const { state, at } = settled(['a'], a);
  state.sendAgain('a');
  expect(texts(state.difference(at))).toEqual({ upserts: [one(1)], absent: [], removed: [] });
  send(state, state.difference(at));
  state.subscribe(['b', 'x'], {});
  expect(texts(state.difference(at))).toMatchObject({ upserts: [expect.stringContaining('"b"')], absent: ['x'] });
  send(state, state.difference(at));
  state.unsubscribe(['b']);
  expect(texts(state.difference(at))).toEqual({ upserts: [], absent: [], removed: [] });
  state.subscribe(['b'], {});
  expect(state.difference(at).upserts).toHaveLength(1);
});

test('an explicit name that a wildcard covered stays covered when it is given up, and so the other way round', () => {
  const { state, at } = settled(['*'], a);
  state.subscribe(['x'], {});
  expect(state.difference(at).absent).toEqual(['x']);
  send(state, state.difference(at));
  state.unsubscribe(['*']);
  const without = desired({});
  expect(texts(state.difference(without))).toEqual({ upserts: [], absent: [], removed: [] });
  expect(state.difference(desired({ x: 1 })).upserts).toHaveLength(1);
});

test('what came with what was refused, and was not judged, is sent again', () => {
  const { state, at } = settled(['*'], a);
  expect(state.acknowledge(String(nonce), new Map(), 'no', ['b'])?.map(({ name }) => name)).toEqual(['a']);
  expect(state.difference(at).upserts.map(({ name }) => name)).toEqual(['b']);
  expect([...state.refusals]).toEqual([]);
});
