import { RE2JS } from 're2js';
import type { types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import { wire } from '../values.ts';

/** Patterns are, as in Envoy, of bytes: `.` is one of the two that `ü` has, and `[ü]` is either. */
export interface Regex {
  readonly source: string;
  /** The whole value matches, as everywhere in Envoy's matchers. */
  readonly matches: (value: string) => boolean;
  /** Every match replaced by the substitution, in which `\1` is the first group and `\0` the match. */
  readonly replaceAll: (value: string, substitution: string) => string;
}

/** Undefined after a refusal. */
export function compileRegex(
  context: CompileContext,
  matcher: types.matcher.RegexMatcher | undefined,
  path: Path,
): Regex | undefined {
  const source = matcher?.regex ?? '';
  if (source === '') {
    context.refuse([...path, 'regex'], 'must not be empty');
    return undefined;
  }
  try {
    const regex = regexOf(source);
    const { maxProgramSize } = matcher?.googleRe2 ?? {};
    if (maxProgramSize !== undefined && leastSize(source) > maxProgramSize)
      context.refuse([...path, 'googleRe2', 'maxProgramSize'], `\`${source}\` is a larger program`);
    return regex;
  } catch (error) {
    context.refuse([...path, 'regex'], `\`${source}\` is not a regular expression of RE2: ${(error as Error).message}`);
    return undefined;
  }
}

/** Compiling takes a tenth of a millisecond, and configurations come again with the same patterns. */
const LIMIT = 2048;
const known = new Map<string, Regex>();

/** How many instructions RE2 makes of it at least: those of RE2JS are fewer, but for a beginning that is anchored. */
function leastSize(source: string): number {
  return source.startsWith('^') ? ANCHORED_SIZE : RE2JS.compile(wire(source)).programSize();
}
const ANCHORED_SIZE = 4;

/** Throws what RE2JS throws. */
export function regexOf(source: string): Regex {
  let regex = known.get(source);
  if (regex === undefined) {
    regex = compile(source);
    if (known.size >= LIMIT) known.clear();
    known.set(source, regex);
  }
  return regex;
}

function compile(source: string): Regex {
  const large = [...source.matchAll(ESCAPE)].find(([, number]) => Number.parseInt(number ?? '0', 16) > MAX_BYTE);
  if (large !== undefined) throw new Error(`\`${large[0]}\` is not a byte`);
  const compiled = RE2JS.compile(wire(source));
  const matches = literalMatcher(source) ?? ((value: string) => compiled.testExact(value));
  return { source, matches, replaceAll: (value, substitution) => replaceAll(compiled, value, wire(substitution)) };
}

const ESCAPE = /\\(?:x\{([\dA-Fa-f]+)\}|[^])/g;
const MAX_BYTE = 0xff;

/** RE2's GlobalReplace: leftmost matches, none of them empty right where the last one ended. */
function replaceAll(compiled: RE2JS, text: string, substitution: string): string {
  const matcher = compiled.matcher(text);
  let out = '';
  let position = 0;
  let lastEnd = -1;
  while (position <= text.length) {
    if (!matcher.find(position)) break;
    const start = matcher.start();
    const end = matcher.end();
    out += text.slice(position, start);
    if (start === end && start === lastEnd) {
      out += text.slice(position, position + 1);
      position += 1;
      continue;
    }
    out += substitution.replace(/\\([0-9\\])/g, (_, code: string) =>
      code === '\\' ? '\\' : (matcher.group(Number(code)) ?? ''),
    );
    position = end;
    lastEnd = end;
  }
  return out + text.slice(position);
}

const SPECIAL = /[\\^$.|?*+()[\]{}]/;

/**
 * A plain comparison where the pattern is literal text, perhaps with `.*` or `.+` before or after it: most patterns in
 * meshes are. `.` stands for anything but a newline, which neither paths nor header values can have.
 */
function literalMatcher(source: string): ((value: string) => boolean) | undefined {
  let text = source;
  let before: '' | '*' | '+' = '';
  let after: '' | '*' | '+' = '';
  if (text.startsWith('^')) text = text.slice(1);
  if (text.endsWith('$') && !text.endsWith('\\$')) text = text.slice(0, -1);
  const head = /^\.([*+])/.exec(text);
  if (head !== null) {
    before = head[1] as '*' | '+';
    text = text.slice(2);
  }
  const tail = /(?<!\\)\.([*+])$/.exec(text);
  if (tail !== null) {
    after = tail[1] as '*' | '+';
    text = text.slice(0, -2);
  }
  const literal = unescapeLiteral(text);
  if (literal === undefined) return undefined;
  const wanted = wire(literal);
  const minimum = wanted.length + (before === '+' ? 1 : 0) + (after === '+' ? 1 : 0);
  if (before === '' && after === '') return (value) => value === wanted;
  if (before === '') return (value) => value.length >= minimum && value.startsWith(wanted);
  if (after === '') return (value) => value.length >= minimum && value.endsWith(wanted);
  if (before === '+' || after === '+') {
    const from = before === '+' ? 1 : 0;
    const keep = after === '+' ? 1 : 0;
    return (value) => {
      const at = value.indexOf(wanted, from);
      return at >= from && at + wanted.length + keep <= value.length;
    };
  }
  return (value) => value.includes(wanted);
}

/** The text that a pattern without operators stands for. */
function unescapeLiteral(pattern: string): string | undefined {
  let text = '';
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '\\') {
      const next = pattern[i + 1];
      if (next === undefined || /[A-Za-z0-9]/.test(next)) return undefined;
      text += next;
      i++;
    } else if (SPECIAL.test(c)) return undefined;
    else text += c;
  }
  return text;
}
