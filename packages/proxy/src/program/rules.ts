import { readFileSync } from 'node:fs';
import { fields } from './fields/index.ts';
import type { Path } from './path.ts';
import { schema } from './schema.ts';

/** What the API asks of a field, as packages/xds/src/gen/rules.gen.json has it (tools/gen/rules.py says what is what). */
interface Rule {
  readonly set?: 1;
  readonly min?: number;
  readonly max?: number;
  readonly bytes?: number;
  readonly in?: readonly string[];
  readonly not?: readonly string[];
  readonly gt?: number;
  readonly gte?: number;
  readonly lt?: number;
  readonly lte?: number;
  readonly skip?: 1;
  readonly one?: 1;
  readonly is?: boolean;
  readonly head?: 'name' | 'value' | 'name!' | 'value!';
  readonly re?: string;
  readonly starts?: string;
  readonly ends?: string;
  readonly of?: Rule;
  readonly keys?: Rule;
}
interface MessageRules {
  readonly f?: Readonly<Record<string, Rule>>;
  readonly o?: readonly string[];
}
interface Compiled {
  readonly fields: readonly (readonly [name: string, rule: Rule, absent: unknown])[];
  /** Oneofs of which one must be set, by their fields. */
  readonly oneofs: readonly (readonly string[])[];
  /** Whether a field is worth the advice. */
  readonly mentioned: (name: string) => boolean;
}

let loaded: Readonly<Record<string, MessageRules>> | undefined;
const compiled = new Map<string, Compiled | undefined>();

/** Tells `refuse` of every rule that a message breaks. Its names are in camelCase, and its values of the right types. */
export function checkRules(
  type: string,
  message: Readonly<Record<string, unknown>>,
  path: Path,
  refuse: (path: Path, problem: string) => void,
): void {
  let rules = compiled.get(type);
  if (rules === undefined && !compiled.has(type)) compiled.set(type, (rules = compile(type)));
  if (rules === undefined) return;
  for (const [name, rule, absent] of rules.fields) {
    const value = message[name] ?? absent;
    if (value === undefined) {
      if (rule.set !== undefined) refuse([...path, name], 'must be there');
      continue;
    }
    check(rule, value, [...path, name], refuse);
  }
  for (const names of rules.oneofs) {
    if (names.every((name) => message[name] === undefined || message[name] === null))
      refuse(path, `must have ${listed(names.filter(rules.mentioned))}`);
  }
}

function compile(type: string): Compiled | undefined {
  loaded ??= JSON.parse(
    readFileSync(new URL(import.meta.resolve('@mizzen/xds/gen/rules.gen.json')), 'utf8'),
  ) as Readonly<Record<string, MessageRules>>;
  const rules = loaded[type];
  const known = schema().messages[type];
  if (rules === undefined || known === undefined) return undefined;
  return {
    fields: Object.entries(rules.f ?? {}).map(([name, rule]) => {
      const field = known[name];
      return [name, rule, field === undefined || field.o !== undefined ? undefined : absentValue(field)];
    }),
    oneofs: (rules.o ?? []).map((oneof) => Object.keys(known).filter((name) => known[name]!.o === oneof)),
    mentioned: (name) => (fields.get(type)?.get(name)?.class ?? 'refused') !== 'refused',
  };
}

/** What a field holds that nobody set: its rules are for that, too. Undefined where there is a difference. */
function absentValue({ t, r, k }: { readonly t: string; readonly r?: 1; readonly k?: string }): unknown {
  if (r !== undefined) return [];
  if (k !== undefined) return {};
  if (t === 'string' || t === 'bytes') return '';
  if (t === 'bool') return false;
  const values = schema().enums[t];
  if (values !== undefined) return Object.keys(values).find((name) => values[name] === 0);
  return t.includes('.') ? undefined : 0;
}

type Refuse = (path: Path, problem: string) => void;

function check(rule: Rule, value: unknown, path: Path, refuse: Refuse): void {
  if (typeof value === 'string') checkText(rule, value, path, refuse);
  else if (typeof value === 'number') checkNumber(rule, value, path, refuse);
  else if (typeof value === 'boolean') {
    if (rule.is !== undefined && rule.is !== value) refuse(path, `must be ${rule.is}`);
  } else if (Array.isArray(value)) checkList(rule, value, path, refuse);
  else if (typeof value === 'object' && value !== null && (rule.min ?? rule.keys ?? rule.of) !== undefined)
    checkMap(rule, value as Readonly<Record<string, unknown>>, path, refuse);
}

const DURATION = /^-?\d+(\.\d+)?s$/;

function checkText(rule: Rule, text: string, path: Path, refuse: Refuse): void {
  if (text === '' && rule.skip !== undefined) return;
  if ((rule.gt ?? rule.gte ?? rule.lt ?? rule.lte) !== undefined) {
    if (DURATION.test(text)) checkNumber(rule, Number(text.slice(0, -1)), path, refuse, 's');
    else if (/^-?\d+$/.test(text)) checkNumber(rule, Number(text), path, refuse);
    return;
  }
  if (rule.min !== undefined && Array.from(text).length < rule.min)
    refuse(path, rule.min === 1 ? 'must not be empty' : `must have at least ${rule.min} characters`);
  if (rule.max !== undefined && Array.from(text).length > rule.max)
    refuse(path, `must have at most ${rule.max} characters`);
  if (rule.bytes !== undefined && Buffer.byteLength(text) > rule.bytes)
    refuse(path, `must have at most ${rule.bytes} bytes`);
  if (rule.in !== undefined && !rule.in.includes(text)) refuse(path, `must be one of ${listed(rule.in)}`);
  if (rule.not?.includes(text) === true) refuse(path, `\`${text}\` is not to be used here`);
  if (rule.starts !== undefined && !text.startsWith(rule.starts)) refuse(path, `must start with \`${rule.starts}\``);
  if (rule.ends !== undefined && !text.endsWith(rule.ends)) refuse(path, `must end with \`${rule.ends}\``);
  if (rule.re !== undefined && !new RegExp(rule.re).test(text)) refuse(path, `must match \`${rule.re}\``);
  if (rule.head !== undefined && !HEAD[rule.head].test(text))
    refuse(path, `cannot be the ${rule.head.startsWith('name') ? 'name' : 'value'} of a header`);
}

// oxlint-disable no-control-regex -- these are what is looked for
const HEAD = {
  // The comma is among them: `+-.` is a range.
  'name!': /^:?[0-9a-zA-Z!#$%&'*+-.^_|~`]+$/,
  name: /^[^\u0000\n\r]*$/,
  'value!': /^[^\u0000-\u0008\n-\u001f\u007f]*$/,
  value: /^[^\u0000\n\r]*$/,
} as const;
// oxlint-enable no-control-regex

function checkNumber(rule: Rule, value: number, path: Path, refuse: Refuse, unit = ''): void {
  const { gt, gte, lt, lte } = rule;
  if (gt !== undefined && !(value > gt)) refuse(path, `must be greater than ${gt}${unit}`);
  if (gte !== undefined && !(value >= gte)) refuse(path, `must be at least ${gte}${unit}`);
  if (lt !== undefined && !(value < lt)) refuse(path, `must be less than ${lt}${unit}`);
  if (lte !== undefined && !(value <= lte)) refuse(path, `must be at most ${lte}${unit}`);
}

function checkList(rule: Rule, list: readonly unknown[], path: Path, refuse: Refuse): void {
  checkCount(rule, list.length, path, refuse);
  if (rule.one !== undefined && new Set(list).size < list.length) refuse(path, 'must not have an entry twice');
  const { of } = rule;
  if (of !== undefined) for (const [i, each] of list.entries()) check(of, each, [...path, i], refuse);
}

function checkMap(rule: Rule, map: Readonly<Record<string, unknown>>, path: Path, refuse: Refuse): void {
  const keys = Object.keys(map);
  checkCount(rule, keys.length, path, refuse);
  for (const key of keys) {
    if (rule.keys !== undefined) check(rule.keys, key, [...path, key], refuse);
    if (rule.of !== undefined) check(rule.of, map[key], [...path, key], refuse);
  }
}

function checkCount({ min, max }: Rule, count: number, path: Path, refuse: Refuse): void {
  if (min !== undefined && count < min)
    refuse(path, min === 1 ? 'must not be empty' : `must have ${min === 2 ? 'two' : min} entries`);
  if (max !== undefined && count > max) refuse(path, `must have at most ${max} entries`);
}

function listed(names: readonly string[]): string {
  const quoted = names.map((name) => `\`${name}\``);
  return quoted.length < 2 ? (quoted[0] ?? '') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}
