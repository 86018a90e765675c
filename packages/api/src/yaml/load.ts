import { CORE_SCHEMA, NOT_RESOLVED, YAMLException, defineScalarTag, load, mergeTag } from 'js-yaml';

/** What was wrong with a text, and where: line and column count from 1 within that text. */
export interface YamlError {
  readonly reason: string;
  readonly line: number;
  readonly column: number;
}

// Kubernetes reads YAML 1.1 where 1.1 and 1.2 differ: `yes` and `on` are booleans, a leading 0 means octal. (It has no
// base-60 numbers and no timestamps, though.)
const BOOLEANS: ReadonlyMap<string, boolean> = new Map(
  [true, false].flatMap((value) =>
    (value ? ['true', 'yes', 'on'] : ['false', 'no', 'off']).flatMap((word) => [
      [word, value] as const,
      [word[0]?.toUpperCase() + word.slice(1), value] as const,
      [word.toUpperCase(), value] as const,
    ]),
  ),
);
const boolTag = defineScalarTag<boolean>('tag:yaml.org,2002:bool', {
  implicit: true,
  implicitFirstChars: Array.from('tTyYoOfFnN'),
  resolve: (source) => BOOLEANS.get(source) ?? NOT_RESOLVED,
  identify: (data) => typeof data === 'boolean',
});
const INTEGER = /^[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[\da-fA-F_]+|0|[1-9][\d_]*)$/;
const intTag = defineScalarTag<number>('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: Array.from('+-0123456789'),
  resolve: (source) => (INTEGER.test(source) ? parseInteger(source) : NOT_RESOLVED),
  identify: (data) => Number.isInteger(data),
});
const SCHEMA = CORE_SCHEMA.withTags(boolTag, intTag, mergeTag);

function parseInteger(source: string): number {
  const negative = source[0] === '-';
  const digits = source.replace(/^[-+]/, '').replaceAll('_', '');
  const octal = /^0o?([0-7]+)$/.exec(digits);
  const value = octal ? Number.parseInt(octal[1] as string, 8) : Number(digits);
  return negative ? -value : value;
}

/** A text with this many values once its aliases are followed is an attack or a mistake. */
const MAX_VALUES = 2_000_000;

/** Parses one YAML or JSON document; every key may appear once. Returns its value or the first error. */
export function loadYaml(text: string): { readonly value: unknown } | { readonly error: YamlError } {
  let padded = text;
  const paddedLines = new Set<number>();
  for (let attempt = 0; ; attempt++) {
    try {
      const value = load(padded, { schema: SCHEMA });
      if (text.includes('*') && countValues(value, MAX_VALUES) >= MAX_VALUES) {
        return { error: { reason: 'aliases expand to too many values', line: 1, column: 1 } };
      }
      return { value };
    } catch (error) {
      if (error instanceof RangeError) return { error: { reason: 'nested too deeply', line: 1, column: 1 } };
      if (!(error instanceof YAMLException)) throw error;
      const { reason, mark } = error;
      const line = mark?.line ?? 0;
      if (reason !== 'deficient indentation' || attempt >= MAX_PADDED_LINES) {
        const column = (mark?.column ?? 0) - (paddedLines.has(line) ? PADDING : 0);
        return { error: { reason, ...within(text, line, Math.max(column, 0)) } };
      }
      padded = padLine(padded, line);
      paddedLines.add(line);
    }
  }
}

/**
 * Kubernetes accepts a closing bracket in the column of its key, which YAML does not. Within brackets and quotes
 * indentation means nothing, so such lines are indented further, up to this many in a document.
 */
const MAX_PADDED_LINES = 100;
const PADDING = 200;

function padLine(text: string, line: number): string {
  const lines = text.split('\n');
  lines[line] = `${' '.repeat(PADDING)}${lines[line]}`;
  return lines.join('\n');
}

/** A place from 0 as one from 1 that is in the text: what is missing at its end is missing after its last word. */
function within(text: string, line: number, column: number): { readonly line: number; readonly column: number } {
  const lines = text.split('\n');
  const last = lines.findLastIndex((words) => words.trim() !== '');
  if (last >= 0 && line > last) return { line: last + 1, column: lines[last]!.trimEnd().length + 1 };
  return { line: line + 1, column: column + 1 };
}

/** Values in a tree, shared ones counted as often as they appear; stops at `limit` (so cycles end too). */
function countValues(root: unknown, limit: number): number {
  const todo = [root];
  let count = 0;
  while (todo.length > 0 && count < limit) {
    const value = todo.pop();
    count++;
    if (typeof value === 'object' && value !== null) todo.push(...Object.values(value));
  }
  return todo.length > 0 ? limit : count;
}
