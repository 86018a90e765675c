import { ExpressionError, type Expression } from './ast.ts';
import { ROOTS, type Root } from './attributes.ts';
import { FUNCTIONS, toText, type CelFunction } from './functions.ts';
import type { LogSource } from '../program/types.ts';
import { isRegex } from './regex.ts';
import { STRING_FUNCTIONS } from './strings.ts';
import { CelMap, Failure, LiteralMap, NO_KEY, NO_OVERLOAD, TypeName, UNKNOWN, Uint, type Value } from './values.ts';

/** An expression's value for a request or a connection. */
export type Evaluate = (source: LogSource) => Value;

/** What an expression may do beyond what is always there. */
export interface ExpressionOptions {
  readonly enableStringConversion?: boolean;
  readonly enableStringConcat?: boolean;
  readonly enableStringFunctions?: boolean;
  /** Names that expressions may begin with, besides the usual ones. */
  readonly roots?: Readonly<Record<string, Root>>;
}

/** Makes a function of an expression. Throws ExpressionError where it calls what is not there. */
export function compileExpression(expression: Expression, options: ExpressionOptions = {}): Evaluate {
  switch (expression.kind) {
    case 'constant': {
      const { value } = expression;
      return () => value;
    }
    case 'identifier': {
      const root = rootOf(expression.name, options);
      const type = TYPES.get(expression.name);
      if (type !== undefined) return () => type;
      return root === undefined ? () => UNKNOWN : root.whole;
    }
    case 'select':
      return compileSelect(expression, options);
    case 'call':
      return compileCall(expression, options);
    case 'list': {
      const items = expression.items.map((item) => compileExpression(item, options));
      return (source) => {
        const list: Value[] = [];
        for (const item of items) {
          const value = item(source);
          if (value instanceof Failure) return value;
          list.push(value);
        }
        return list;
      };
    }
    case 'map': {
      const entries = expression.entries.map(
        ([key, value]) => [compileExpression(key, options), compileExpression(value, options)] as const,
      );
      return (source) => {
        const made = new Map<unknown, Value>();
        const uints = new Map<bigint, Value>();
        for (const [key, value] of entries) {
          const k = key(source);
          const v = value(source);
          if (k instanceof Failure) return k;
          if (v instanceof Failure) return v;
          if (!mayBeKey(k)) return BAD_KEY;
          if (k instanceof Uint ? uints.has(k.value) : made.has(k)) return KEY_TWICE;
          if (k instanceof Uint) uints.set(k.value, v);
          else made.set(k, v);
        }
        return new LiteralMap(made, uints);
      };
    }
  }
}

const BAD_KEY = new Failure('is not of a type that keys of maps may have');
const KEY_TWICE = new Failure('is a key that the map has already');

function mayBeKey(key: Value): boolean {
  return typeof key === 'string' || typeof key === 'boolean' || typeof key === 'bigint' || key instanceof Uint;
}

/** Names of types are values, too. */
const TYPES = new Map(
  ['bool', 'bytes', 'double', 'int', 'list', 'map', 'null_type', 'string', 'type', 'uint'].map((name) => [
    name,
    new TypeName(name),
  ]),
);

function rootOf(name: string, { roots }: ExpressionOptions): Root | undefined {
  if (roots !== undefined && Object.hasOwn(roots, name)) return roots[name];
  return Object.hasOwn(ROOTS, name) ? ROOTS[name] : undefined;
}

/** Null is a value. */
function orNoKey(value: Value | undefined): Value {
  return value === undefined ? NO_KEY : value;
}

function compileSelect(
  { operand, field, test }: Extract<Expression, { kind: 'select' }>,
  options: ExpressionOptions,
): Evaluate {
  // The usual case: an attribute by its full name, which needs no map.
  const root = operand.kind === 'identifier' ? rootOf(operand.name, options) : undefined;
  if (root !== undefined) {
    root.check?.(field);
    const { get } = root;
    if (test) return (source) => get(source, field) !== undefined;
    return (source) => orNoKey(get(source, field));
  }
  const from = compileExpression(operand, options);
  return (source) => {
    const value = from(source);
    if (value instanceof Failure) return value;
    if (!(value instanceof CelMap)) return NO_OVERLOAD;
    const found = value.get(field);
    return test ? found !== undefined : orNoKey(found);
  };
}

function compileCall(
  { name, target, args }: Extract<Expression, { kind: 'call' }>,
  options: ExpressionOptions,
): Evaluate {
  // What is in a namespace looks like a method of it.
  const full = target?.kind === 'identifier' ? `${target.name}.${name}` : '';
  if (Object.hasOwn(FUNCTIONS, full))
    return compileCall({ kind: 'call', name: full, target: undefined, args }, options);
  const values = [...(target === undefined ? [] : [target]), ...args].map((arg) => compileExpression(arg, options));
  const [a, b, c, d] = values;
  if (name === '_&&_' || name === '_||_') return logical(a!, b!, name === '_||_');
  if (name === '_?_:_') {
    return (source) => {
      const condition = a!(source);
      if (typeof condition === 'boolean') return condition ? b!(source) : c!(source);
      return condition instanceof Failure ? condition : NO_OVERLOAD;
    };
  }
  const pattern = name === 'matches' ? [...(target === undefined ? [] : [target]), ...args][1] : undefined;
  if (pattern?.kind === 'constant' && typeof pattern.value === 'string' && !isRegex(pattern.value))
    throw new ExpressionError(`has \`${pattern.value}\`, which is not a regular expression`);
  const call = functionOf(name, options);
  if (call === undefined) throw new ExpressionError(`calls \`${name}\`, which is not there`);
  if (b === undefined)
    return (source) => {
      const value = a === undefined ? NO_OVERLOAD : a(source);
      return value instanceof Failure ? value : call(value, undefined as never, undefined as never);
    };
  return (source) => {
    const first = a!(source);
    if (first instanceof Failure) return first;
    const second = b(source);
    if (second instanceof Failure) return second;
    const third = c === undefined ? (undefined as never) : c(source);
    if ((third as Value) instanceof Failure) return third;
    const fourth = d?.(source);
    return fourth instanceof Failure ? fourth : call(first, second, third, fourth);
  };
}

/** One side that decides is enough, whatever becomes of the other. */
function logical(a: Evaluate, b: Evaluate, decides: boolean): Evaluate {
  return (source) => {
    const left = a(source);
    if (left === decides) return decides;
    const right = b(source);
    if (right === decides) return decides;
    if (typeof left === 'boolean' && typeof right === 'boolean') return !decides;
    return left instanceof Failure ? left : right instanceof Failure ? right : NO_OVERLOAD;
  };
}

const concat: CelFunction = (a, b, c) =>
  typeof a === 'string' && typeof b === 'string' ? a + b : FUNCTIONS['_+_']!(a, b, c);

function functionOf(name: string, options: ExpressionOptions): CelFunction | undefined {
  if (name === 'string') return options.enableStringConversion === true ? toText : undefined;
  if (name === '_+_' && options.enableStringConcat === true) return concat;
  if (options.enableStringFunctions === true && Object.hasOwn(STRING_FUNCTIONS, name)) return STRING_FUNCTIONS[name];
  return Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
}
