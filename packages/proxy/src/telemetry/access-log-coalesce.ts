import type { JsonValue } from '@mizzen/xds';
import type { LogSource } from '../program/types.ts';
import { cut } from './access-log-cut.ts';
import type { Operator, OperatorDeps, OperatorFactory, OperatorValue } from './operators/operator.ts';

type Problem = { readonly problem: string };

/** `{"operators": […]}`: the value of the first that has one; an empty text is one. */
export function coalesce(find: (name: string) => OperatorFactory | undefined): OperatorFactory {
  return (argument, deps) => {
    if (argument === undefined || argument === '') return { problem: 'needs a JSON object' };
    const entries = entriesOf(argument);
    if ('problem' in entries) return entries;
    const choices: Operator[] = [];
    for (const [index, entry] of entries.entries()) {
      const operator = operatorOf(entry, find, deps);
      if (typeof operator !== 'function') return { problem: `has in \`operators[${index}]\` ${operator.problem}` };
      choices.push(operator);
    }
    const texts = choices.map((choice) => choice.inText ?? choice);
    return Object.assign(firstOf(choices), { inText: firstOf(texts) });
  };
}

function firstOf(choices: readonly ((source: LogSource) => OperatorValue)[]): (source: LogSource) => OperatorValue {
  return (source) => {
    for (const choice of choices) {
      const value = choice(source);
      if (value !== undefined && value !== null) return value;
    }
    return undefined;
  };
}

function entriesOf(argument: string): readonly JsonValue[] | Problem {
  let given: JsonValue;
  try {
    given = JSON.parse(argument) as JsonValue;
  } catch {
    return { problem: 'has an argument that is not JSON' };
  }
  const entries: unknown =
    typeof given === 'object' && given !== null && 'operators' in given ? given.operators : given;
  return Array.isArray(entries) && entries !== given && entries.length > 0
    ? (entries as readonly JsonValue[])
    : { problem: 'needs a list `operators` that is not empty' };
}

function operatorOf(
  entry: JsonValue,
  find: (name: string) => OperatorFactory | undefined,
  deps: OperatorDeps,
): Operator | Problem {
  if (typeof entry === 'string') return make(entry, undefined, find, deps);
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    return { problem: 'neither a name nor an object' };
  const { command, param, max_length: length } = entry as { readonly [key: string]: JsonValue | undefined };
  if (typeof command !== 'string') return { problem: 'no `command`' };
  if (param !== undefined && typeof param !== 'string') return { problem: 'a `param` that is not text' };
  if (length !== undefined && (typeof length !== 'number' || !Number.isInteger(length) || length <= 0))
    return { problem: 'a `max_length` that is not a positive whole number' };
  const operator = make(command, param === '' ? undefined : param, find, deps);
  return typeof operator === 'function' && length !== undefined ? cut(operator, length) : operator;
}

function make(
  command: string,
  param: string | undefined,
  find: (name: string) => OperatorFactory | undefined,
  deps: OperatorDeps,
): Operator | Problem {
  const factory = find(command);
  if (factory === undefined) return { problem: `the command operator \`${command}\`, which is not supported` };
  const operator = factory(param, deps);
  return typeof operator === 'function' ? operator : { problem: `\`${command}\`, which ${operator.problem}` };
}
