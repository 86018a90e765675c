import { RE2JS } from 're2js';
import { unwire, wire } from '../program/values.ts';
import { Failure, LiteralMap, type Value } from './values.ts';

const BAD = new Failure('is not a regular expression');
const NO_MATCH = new Failure('is not matched');
const MAX_KNOWN = 1000;
/** Most are constants; what is made from requests must not fill the memory. */
const known = new Map<string, RE2JS | undefined>();

function compile(pattern: string): RE2JS | undefined {
  if (known.has(pattern)) return known.get(pattern);
  let regex: RE2JS | undefined;
  try {
    regex = RE2JS.compile(unwire(pattern));
  } catch {
    regex = undefined;
  }
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(pattern, regex);
  return regex;
}

export function isRegex(pattern: string): boolean {
  return compile(pattern) !== undefined;
}

/** Whether the pattern is found anywhere. */
export function matchesRegex(text: string, pattern: string): Value {
  const regex = compile(pattern);
  return regex === undefined ? BAD : regex.matcher(unwire(text)).find();
}

/** The first match, written anew: `\\1` stands for its first group. */
export function extractBy(text: string, pattern: string, rewrite: string): Value {
  const matcher = compile(pattern)?.matcher(unwire(text));
  if (matcher === undefined) return BAD;
  if (!matcher.find()) return NO_MATCH;
  let bad = false;
  const made = rewrite.replace(/\\(.?)/g, (_, digit: string) => {
    if (digit === '\\') return digit;
    const group = Number(digit);
    if (!/^\d$/.test(digit) || group > matcher.groupCount()) bad = true;
    return bad ? '' : wire(matcher.group(group) ?? '');
  });
  return bad ? BAD : made;
}

/** The first group of a pattern that matches all of a text. */
export function captureFirst(text: string, pattern: string): Value {
  const matcher = compile(pattern)?.matcher(unwire(text));
  if (matcher === undefined || matcher.groupCount() < 1) return BAD;
  return matcher.matches() ? wire(matcher.group(1) ?? '') : NO_MATCH;
}

/** All groups, by name or number. */
export function captureAll(text: string, pattern: string): Value {
  const regex = compile(pattern);
  const matcher = regex?.matcher(unwire(text));
  if (regex === undefined || matcher === undefined || matcher.groupCount() < 1) return BAD;
  if (!matcher.matches()) return NO_MATCH;
  const names = new Map(Object.entries(regex.namedGroups()).map(([name, group]) => [group, name]));
  const groups = new Map<unknown, Value>();
  for (let i = 1; i <= matcher.groupCount(); i++) groups.set(names.get(i) ?? String(i), wire(matcher.group(i) ?? ''));
  return new LiteralMap(groups);
}
