import type { types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import { asciiLower, wire } from '../values.ts';
import { compileRegex } from './regex.ts';

export interface StringMatch {
  /** In words, after what it looks at: `is "GET"`, `starts with "/api"`. */
  readonly text: string;
  readonly matches: (value: string) => boolean;
}

const NEVER: StringMatch = { text: 'matches nothing', matches: () => false };

/** Values are wire text (one character a byte). After a refusal: a matcher that never matches. */
export function compileString(context: CompileContext, matcher: types.matcher.StringMatcher, path: Path): StringMatch {
  const { exact, prefix, suffix, contains, safeRegex } = matcher;
  const ignoreCase = matcher.ignoreCase === true;
  if (exact !== undefined) return exactMatch(exact, ignoreCase);
  if (prefix !== undefined) return prefixMatch(nonEmpty(context, prefix, [...path, 'prefix']), ignoreCase);
  if (suffix !== undefined) return suffixMatch(nonEmpty(context, suffix, [...path, 'suffix']), ignoreCase);
  if (contains !== undefined) return containsMatch(nonEmpty(context, contains, [...path, 'contains']), ignoreCase);
  if (safeRegex !== undefined) {
    if (ignoreCase) context.refuse([...path, 'ignoreCase'], 'has no effect for a regular expression');
    const regex = compileRegex(context, safeRegex, [...path, 'safeRegex']);
    if (regex === undefined) return NEVER;
    return { text: `matches the regular expression "${regex.source}"`, matches: regex.matches };
  }
  context.refuse(path, 'must say what to match');
  return NEVER;
}

function nonEmpty(context: CompileContext, value: string, path: Path): string {
  if (value === '') context.refuse(path, 'must not be empty');
  return value;
}

export function exactMatch(text: string, ignoreCase: boolean): StringMatch {
  const wanted = wire(text);
  if (!ignoreCase) return { text: `is "${text}"`, matches: (value) => value === wanted };
  const lower = asciiLower(wanted);
  return {
    text: `is "${text}" (in any case)`,
    matches: (value) => value.length === lower.length && asciiLower(value) === lower,
  };
}

export function prefixMatch(text: string, ignoreCase: boolean): StringMatch {
  const wanted = wire(text);
  if (!ignoreCase) return { text: `starts with "${text}"`, matches: (value) => value.startsWith(wanted) };
  const lower = asciiLower(wanted);
  return {
    text: `starts with "${text}" (in any case)`,
    matches: (value) => value.length >= lower.length && asciiLower(value.slice(0, lower.length)) === lower,
  };
}

export function suffixMatch(text: string, ignoreCase: boolean): StringMatch {
  const wanted = wire(text);
  if (!ignoreCase) return { text: `ends with "${text}"`, matches: (value) => value.endsWith(wanted) };
  const lower = asciiLower(wanted);
  return {
    text: `ends with "${text}" (in any case)`,
    matches: (value) => value.length >= lower.length && asciiLower(value.slice(-lower.length)) === lower,
  };
}

export function containsMatch(text: string, ignoreCase: boolean): StringMatch {
  const wanted = wire(text);
  if (!ignoreCase) return { text: `contains "${text}"`, matches: (value) => value.includes(wanted) };
  const lower = asciiLower(wanted);
  return { text: `contains "${text}" (in any case)`, matches: (value) => asciiLower(value).includes(lower) };
}
