import type { JsonValue } from '@mizzen/xds';
import type { LogSource } from '../program/types.ts';
import { wire } from '../program/values.ts';
import { cut } from './access-log-cut.ts';
import { operators } from './access-log-operators.ts';
import type { Operator, OperatorDeps } from './operators/operator.ts';
import { RepeatedText, type Step } from './repeated-text.ts';
import { asText } from './value-text.ts';

/** A compiled format: literal text and operators in turn. */
export interface Format {
  readonly parts: readonly (string | Operator)[];
}
export interface FormatProblem {
  readonly problem: string;
}

const COMMAND = /%([A-Z0-9_]+)(?:\((.*?)\))?(?::(\d+))?%/y;

/** What may be cut to a length. */
const CUTS = new Set(
  `REQ RESP TRAILER REQUEST_HEADER RESPONSE_HEADER RESPONSE_TRAILER REQ_WITHOUT_QUERY QUERY_PARAM QUERY_PARAMS PATH
  DYNAMIC_METADATA METADATA FILTER_STATE UPSTREAM_FILTER_STATE
  ENVIRONMENT CEL TYPED_CEL COALESCE`.split(/\s+/),
);

/** Splits `text %OPERATOR(argument):length% text`. `%%` is a percent sign. */
export function parseFormat(format: string, deps: OperatorDeps): Format | FormatProblem {
  const parts: (string | Operator)[] = [];
  let literal = '';
  for (let i = 0; i < format.length; i++) {
    const c = format[i]!;
    if (c !== '%') {
      literal += c;
      continue;
    }
    if (format[i + 1] === '%') {
      literal += '%';
      i++;
      continue;
    }
    COMMAND.lastIndex = i;
    const command = COMMAND.exec(format);
    if (command === null) return { problem: `there is no valid command operator at position ${i} of \`${format}\`` };
    const [whole, name = '', argument, length] = command;
    const factory = Object.hasOwn(operators, name) ? operators[name] : undefined;
    if (factory === undefined) return { problem: `the command operator \`${name}\` is not supported` };
    const operator = factory(argument === '' ? undefined : argument, deps);
    if (typeof operator !== 'function') return { problem: `the command operator \`${name}\` ${operator.problem}` };
    if (length !== undefined && !CUTS.has(name)) return { problem: `the command operator \`${name}\` takes no length` };
    if (literal !== '') parts.push(literal);
    literal = '';
    parts.push(length === undefined ? operator : cut(operator, Number(length)));
    i += whole.length - 1;
  }
  if (literal !== '') parts.push(literal);
  return { parts };
}

/** Makes the text of a format. */
export function textFormatter(format: Format, absent: string): (source: LogSource) => string {
  const steps: Step[] = [];
  let literal = '';
  for (const part of format.parts) {
    if (typeof part === 'string') {
      literal += part;
      continue;
    }
    steps.push({ before: literal, get: part.inText ?? part });
    literal = '';
  }
  const end = literal;
  const [first] = steps;
  if (first === undefined) return () => end;
  if (steps.length === 1 && first.before === '' && end === '') return (source) => asText(first.get(source), absent);
  if (steps.length >= MANY) {
    const repeated = new RepeatedText(steps, end, absent);
    return (source) => repeated.of(source);
  }
  return (source) => {
    let text = '';
    for (let i = 0; i < steps.length; i++) {
      const { before, get } = steps[i]!;
      text += before + asText(get(source), absent);
    }
    return text + end;
  };
}

/** From so many operators on a format is that of a log. */
const MANY = 6;

/** A value within a JSON format; undefined means that there is none and that empty values are left out. */
export type JsonFormatter = (source: LogSource) => JsonValue | undefined;

interface JsonOptions {
  readonly typed: boolean;
  /** Of values that are absent or null, and of objects that then have none; lists stay. */
  readonly omitEmpty: boolean;
  /** What is made of each operator before it is used. */
  readonly each?: (operator: Operator) => Operator;
}

/**
 * Compiles a JSON format. A string that is one operator keeps its type (with `typed`), and is null when absent; other
 * strings are text with `-` for what is absent. Keys come sorted.
 */
export function jsonFormatter(
  value: JsonValue,
  deps: OperatorDeps,
  options: JsonOptions,
  within = false,
): JsonFormatter | FormatProblem {
  if (typeof value === 'string') {
    const written = parseFormat(wire(value), deps);
    if ('problem' in written) return written;
    const { each } = options;
    const format =
      each === undefined
        ? written
        : { parts: written.parts.map((part) => (typeof part === 'string' ? part : each(part))) };
    const [only] = format.parts;
    if (format.parts.length === 1 && typeof only === 'function') {
      if (options.typed) {
        const typed = only.inJson ?? only;
        return (source) => typed(source) ?? (options.omitEmpty ? undefined : null);
      }
      const get = only.inText ?? only;
      return (source) => {
        const given = get(source);
        return options.omitEmpty && (given === undefined || given === null) ? undefined : asText(given, '-');
      };
    }
    return textFormatter(format, options.omitEmpty ? '' : '-');
  }
  if (Array.isArray(value)) {
    const items: JsonFormatter[] = [];
    for (const item of value as readonly JsonValue[]) {
      const formatter = jsonFormatter(item, deps, options, true);
      if ('problem' in formatter) return formatter;
      items.push(formatter);
    }
    return (source) => {
      const list: JsonValue[] = [];
      for (const item of items) {
        const given = item(source);
        if (given !== undefined) list.push(given);
      }
      return list;
    };
  }
  if (typeof value === 'object' && value !== null) {
    const fields: (readonly [string, JsonFormatter])[] = [];
    const object = value as { readonly [key: string]: JsonValue | undefined };
    for (const key of Object.keys(object).sort()) {
      const formatter = jsonFormatter(object[key] ?? null, deps, options, true);
      if ('problem' in formatter) return formatter;
      fields.push([wire(key), formatter]);
    }
    return (source) => {
      const out: Record<string, JsonValue> = {};
      for (const [key, formatter] of fields) {
        const given = formatter(source);
        if (given !== undefined) out[key] = given;
      }
      return within && options.omitEmpty && Object.keys(out).length === 0 ? undefined : out;
    };
  }
  return value === null && options.omitEmpty ? () => undefined : () => value;
}
