import { unwire, wire } from '../program/values.ts';
import { characters } from './characters.ts';
import type { CelFunction } from './functions.ts';
import { Failure, NO_OVERLOAD, type Value } from './values.ts';

const OUT_OF_RANGE = new Failure('is out of range');

/** Functions that count characters see text, not bytes. */
function onText(make: (text: string[], a: Value | undefined, b: Value | undefined) => Value): CelFunction {
  return (text, a, b) => (typeof text === 'string' ? make(characters(text), a, b) : NO_OVERLOAD);
}

function position(value: Value | undefined, fallback: number): number | undefined {
  return value === undefined ? fallback : typeof value === 'bigint' ? Number(value) : undefined;
}

function startsAt(text: readonly string[], part: readonly string[], at: number): boolean {
  return part.every((letter, i) => text[at + i] === letter);
}

/** The extension for text. */
export const STRING_FUNCTIONS: Readonly<Record<string, CelFunction>> = {
  lowerAscii: (a) => (typeof a === 'string' ? a.replace(/[A-Z]+/g, (upper) => upper.toLowerCase()) : NO_OVERLOAD),
  upperAscii: (a) => (typeof a === 'string' ? a.replace(/[a-z]+/g, (lower) => lower.toUpperCase()) : NO_OVERLOAD),
  trim: (a) => (typeof a === 'string' ? wire(unwire(a).trim()) : NO_OVERLOAD),
  reverse: onText((text) => wire(text.toReversed().join(''))),
  charAt: onText((text, a) => {
    const at = position(a, -1);
    if (at === undefined) return NO_OVERLOAD;
    return at < 0 || at > text.length ? OUT_OF_RANGE : wire(text[at] ?? '');
  }),
  substring: onText((text, a, b) => {
    const from = position(a, -1);
    const to = position(b, text.length);
    if (from === undefined || to === undefined) return NO_OVERLOAD;
    return from < 0 || to > text.length || from > to ? OUT_OF_RANGE : wire(text.slice(from, to).join(''));
  }),
  indexOf: onText((text, a, b) => {
    const from = position(b, 0);
    if (typeof a !== 'string' || from === undefined) return NO_OVERLOAD;
    if (from < 0 || (from > text.length && b !== undefined)) return OUT_OF_RANGE;
    const part = characters(a);
    for (let at = from; at <= text.length - part.length; at++) if (startsAt(text, part, at)) return BigInt(at);
    return -1n;
  }),
  lastIndexOf: onText((text, a, b) => {
    const from = position(b, text.length);
    if (typeof a !== 'string' || from === undefined) return NO_OVERLOAD;
    if (from < 0 || from > text.length) return OUT_OF_RANGE;
    const part = characters(a);
    for (let at = Math.min(from, text.length - part.length); at >= 0; at--)
      if (startsAt(text, part, at)) return BigInt(at);
    return -1n;
  }),
  replace: (a, b, c, d) => {
    if (typeof a !== 'string' || typeof b !== 'string' || typeof c !== 'string') return NO_OVERLOAD;
    if (d === undefined) return a.replaceAll(b, () => c);
    if (typeof d !== 'bigint') return NO_OVERLOAD;
    let left = d < 0n ? Infinity : Number(d);
    return a.replaceAll(b, (found) => (left-- > 0 ? c : found));
  },
  split: (a, b, c) => {
    const limit = c === undefined ? -1 : typeof c === 'bigint' ? Number(c) : undefined;
    if (typeof a !== 'string' || typeof b !== 'string' || limit === undefined) return NO_OVERLOAD;
    if (limit === 0) return [];
    const parts = b === '' ? characters(a).map(wire) : a.split(b);
    return limit < 0 || parts.length <= limit ? parts : [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(b)];
  },
  join: (a, b) => {
    if (!Array.isArray(a) || !(b === undefined || typeof b === 'string')) return NO_OVERLOAD;
    return (a as readonly Value[]).every((item) => typeof item === 'string') ? a.join(b ?? '') : NO_OVERLOAD;
  },
};
