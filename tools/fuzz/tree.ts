import type { Random } from './random.ts';

type Json = unknown;
type Branch = Json[] | Record<string, Json>;

/** Values that programs do not expect. */
const ODD: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  1.5,
  65535,
  65536,
  99999,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 63),
  1e308,
  -0,
  '',
  ' ',
  '0',
  '-1',
  '1e9',
  'NaN',
  '1s',
  '-1s',
  '0.0000001s',
  '999999999999h',
  '1ms',
  'true',
  'null',
  '*',
  '*.',
  '*.com',
  '.',
  '..',
  '/',
  './*',
  '*/*',
  '~/*',
  'a/b',
  'default',
  'a.b.c.d',
  'a'.repeat(300),
  'é',
  '\u0000',
  '\u2028',
  '\uFEFFx',
  '\u{1F600}'.repeat(10),
  '__proto__',
  'constructor',
  'toString',
  '%',
  '%20%',
  '{',
  '${x}',
  '%REQ(X)%',
  '{x=**}/{y=*}',
  '[',
  '(',
  '(a+)+$',
  'a{1000}{1000}',
  '^(?:.*a){20}$',
  '\\',
  '1.2.3.4',
  '1.2.3.4/99',
  '::1/129',
  '::ffff:1.2.3.4',
  '256.1.1.1',
  'unix:///tmp/x',
  '1-2',
  '-----BEGIN CERTIFICATE-----',
  'spiffe://a/ns/b/sa/c',
  'http://[::1',
  [],
  {},
  [null],
  [[]],
  [{}],
  { '': '' },
  { a: { a: { a: {} } } },
];

function odd(random: Random): Json {
  return structuredClone(random.pick(ODD));
}

function isBranch(value: Json): value is Branch {
  return typeof value === 'object' && value !== null;
}

/** Every place of a tree: what holds it, and under which key. */
function places(root: Branch): [Branch, string][] {
  const found: [Branch, string][] = [];
  const todo: Branch[] = [root];
  for (let branch = todo.pop(); branch !== undefined && found.length < 5000; branch = todo.pop()) {
    for (const [key, value] of Object.entries(branch)) {
      found.push([branch, key]);
      if (isBranch(value)) todo.push(value);
    }
  }
  return found;
}

/** Values and keys that valid documents have: key → the values seen under it. */
export interface Dictionary {
  readonly keys: readonly string[];
  readonly values: ReadonlyMap<string, readonly Json[]>;
}

export function dictionary(samples: readonly Json[]): Dictionary {
  const values = new Map<string, Json[]>();
  for (const sample of samples) {
    if (!isBranch(sample)) continue;
    for (const [branch, key] of places(sample)) {
      if (Array.isArray(branch)) continue;
      const seen = values.get(key) ?? [];
      if (seen.length < 50) seen.push((branch as Record<string, Json>)[key]);
      values.set(key, seen);
    }
  }
  return { keys: [...values.keys()], values };
}

function get(branch: Branch, key: string): Json {
  return (branch as Record<string, Json>)[key];
}

function set(branch: Branch, key: string, value: Json): void {
  Object.defineProperty(branch, key, { value, enumerable: true, configurable: true, writable: true });
}

function remove(branch: Branch, key: string): void {
  if (Array.isArray(branch)) branch.splice(Number(key), 1);
  else delete branch[key];
}

function nested(random: Random, value: Json): Json {
  let result = value;
  const list = random.chance(0.5);
  for (let i = random.pick([3, 30, 101, 300]); i > 0; i--) result = list ? [result] : { a: result };
  return result;
}

function otherType(random: Random, value: Json): Json {
  if (Array.isArray(value)) return random.chance(0.5) ? value[0] : Object.fromEntries(value.entries());
  if (isBranch(value)) return random.chance(0.5) ? [value] : Object.values(value);
  return random.pick<Json>([[value], { value }, String(value), Number(value), value === true ? 'true' : true]);
}

function change(random: Random, root: Branch, words: Dictionary): void {
  const all = places(root);
  if (all.length === 0) {
    set(root, random.pick(words.keys), odd(random));
    return;
  }
  const [branch, key] = random.pick(all);
  const value = get(branch, key);
  switch (random.below(11)) {
    case 0:
      remove(branch, key);
      return;
    case 1:
    case 2:
      set(branch, key, odd(random));
      return;
    case 3:
      set(branch, key, otherType(random, value));
      return;
    case 4: {
      const [from, name] = random.pick(all);
      set(branch, key, structuredClone(get(from, name)));
      return;
    }
    case 5:
    case 6: {
      // What other documents have under a key, under the same key.
      const seen = words.values.get(key);
      if (seen !== undefined) set(branch, key, structuredClone(random.pick(seen)));
      return;
    }
    case 7: {
      // A field that it does not have, with what others have in it.
      const name = random.pick(words.keys);
      const target = isBranch(value) && !Array.isArray(value) ? value : branch;
      if (!Array.isArray(target)) set(target, name, structuredClone(random.pick(words.values.get(name)!)));
      return;
    }
    case 8:
      if (Array.isArray(value) && value.length > 0) {
        const times = random.pick([2, 3, 20, 200]);
        set(
          branch,
          key,
          Array.from({ length: times }, () => structuredClone(random.pick(value))),
        );
      } else if (!Array.isArray(branch)) {
        remove(branch, key);
        set(branch, random.pick(words.keys), value);
      }
      return;
    case 9:
      set(branch, key, nested(random, value));
      return;
    default:
      if (typeof value === 'string') {
        const at = random.below(value.length + 1);
        set(
          branch,
          key,
          value.slice(0, at) +
            random.pick(['', '*', '.', '/', '-', '\u0000', 'é', value]) +
            value.slice(at + random.below(3)),
        );
      } else if (typeof value === 'number') {
        set(branch, key, random.pick([-value, value + 1, value * 1e6, value / 3, String(value)]));
      } else set(branch, key, odd(random));
  }
}

/** A copy of a tree with a few changes. */
export function mutateTree(random: Random, sample: Json, words: Dictionary): Json {
  const root = structuredClone(sample) as Branch;
  for (let i = random.below(4) + 1; i > 0; i--) change(random, root, words);
  return root;
}
