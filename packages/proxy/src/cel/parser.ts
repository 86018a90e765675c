import { wire } from '../program/values.ts';
import { ExpressionError, type Expression } from './ast.ts';
import { tokenize, type Token } from './tokens.ts';
import type { Value } from './values.ts';

/** Code points of an expression at most. */
const MAX_LENGTH = 100_000;

/** Parses an expression. Throws ExpressionError. */
export function parseExpression(text: string): Expression {
  if (text.length > MAX_LENGTH && Array.from(text).length > MAX_LENGTH)
    throw new ExpressionError(`is longer than ${MAX_LENGTH} characters`);
  const parser = new Parser(tokenize(text));
  const expression = parser.expression();
  parser.end();
  return expression;
}

/** Macros that go through lists and maps. */
export const LOOPS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);
const RELATIONS = new Set(['==', '!=', '<', '<=', '>', '>=', 'in']);
const RESERVED = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);
/** Envoy's: how deeply expressions are nested at most, and how deeply what is written within brackets. */
const MAX_DEPTH = 32;

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #brackets = 0;
  readonly #depths = new WeakMap<Expression, number>();

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  end(): void {
    if (this.#peek().kind !== 'end') this.#unexpected();
  }

  expression(): Expression {
    if (++this.#brackets > MAX_DEPTH + 1) throw new ExpressionError('is nested too deeply');
    const condition = this.#binary(0);
    this.#brackets--;
    if (!this.#take('?')) return condition;
    const yes = this.#binary(0);
    this.#need(':');
    const no = this.expression();
    return this.#call('_?_:_', [condition, yes, no]);
  }

  /** A node of the expression with the parts that it is made of. */
  #node(made: Expression, parts: readonly Expression[]): Expression {
    let depth = 0;
    for (const part of parts) depth = Math.max(depth, this.#depths.get(part) ?? 0);
    if (++depth > MAX_DEPTH) throw new ExpressionError('is nested too deeply');
    this.#depths.set(made, depth);
    return made;
  }

  #call(name: string, args: readonly Expression[]): Expression {
    return this.#node({ kind: 'call', name, target: undefined, args }, args);
  }

  #binary(level: number): Expression {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    const terms = [left];
    for (;;) {
      const { kind, text } = this.#peek();
      if (kind === 'text' || kind === 'end' || !operators.has(text)) break;
      this.#at++;
      const right = this.#binary(level + 1);
      if (LOGICAL.has(text)) terms.push(right);
      else left = this.#call(text === 'in' ? '@in' : `_${text}_`, [left, right]);
    }
    return terms.length === 1 ? left : this.#balanced(level === 0 ? '_||_' : '_&&_', terms);
  }

  /** However many there are, they are not nested deeply. */
  #balanced(name: string, terms: readonly Expression[]): Expression {
    if (terms.length === 1) return terms[0]!;
    const middle = Math.ceil(terms.length / 2);
    return this.#call(name, [this.#balanced(name, terms.slice(0, middle)), this.#balanced(name, terms.slice(middle))]);
  }

  /** Two signs of a kind cancel each other. */
  #unary(): Expression {
    for (const [sign, name] of SIGNS) {
      let signs = 0;
      while (!this.#isNegative() && this.#take(sign)) signs++;
      if (signs === 0) continue;
      const operand = this.#member(this.#primary());
      return signs % 2 === 0 ? operand : this.#call(name, [operand]);
    }
    return this.#member(this.#primary());
  }

  /** What follows is a number that is below zero. */
  #isNegative(): boolean {
    const { kind, text } = this.#peek();
    const next = this.#tokens[this.#at + 1];
    return kind === 'sign' && text === '-' && next?.kind === 'number' && typeof next.value !== 'object';
  }

  #member(first: Expression): Expression {
    let operand = first;
    for (;;) {
      if (this.#take('.')) {
        const name = this.#identifier();
        if (this.#take('(')) operand = this.#method(operand, name, this.#list(')'));
        else operand = this.#node({ kind: 'select', operand, field: wire(name), test: false }, [operand]);
      } else if (this.#take('[')) {
        const index = this.expression();
        this.#need(']');
        operand = this.#call('_[_]', [operand, index]);
      } else return operand;
    }
  }

  #method(target: Expression, name: string, args: readonly Expression[]): Expression {
    if (LOOPS.has(name) && args.length >= 2)
      throw new ExpressionError(`goes through values with \`${name}\`, which is not supported`);
    return this.#node({ kind: 'call', name, target, args }, [target, ...args]);
  }

  #primary(): Expression {
    const token = this.#peek();
    if (this.#isNegative()) {
      const { value } = this.#tokens[this.#at + 1]!;
      this.#at += 2;
      return this.#leaf({ kind: 'constant', value: checked(-(value as bigint)) });
    }
    if (token.kind === 'number' || token.kind === 'text') {
      this.#at++;
      if (typeof token.value === 'bigint') checked(token.value);
      return this.#leaf({ kind: 'constant', value: token.value as Value });
    }
    if (this.#take('(')) {
      const inner = this.expression();
      this.#need(')');
      return inner;
    }
    if (this.#take('[')) {
      const items = this.#list(']');
      return this.#node({ kind: 'list', items }, items);
    }
    if (this.#take('{')) return this.#map();
    this.#take('.');
    const name = this.#identifier();
    if (name === 'true' || name === 'false') return this.#leaf({ kind: 'constant', value: name === 'true' });
    if (name === 'null') return this.#leaf({ kind: 'constant', value: null });
    if (RESERVED.has(name)) throw new ExpressionError(`uses the reserved word \`${name}\``);
    if (!this.#take('(')) return this.#leaf({ kind: 'identifier', name });
    const args = this.#list(')');
    if (name !== 'has') return this.#call(name, args);
    const [only] = args;
    if (args.length !== 1 || only?.kind !== 'select') throw new ExpressionError('`has` takes the selection of a field');
    return this.#node({ ...only, test: true }, [only.operand]);
  }

  #leaf(made: Expression): Expression {
    return this.#node(made, []);
  }

  #map(): Expression {
    const entries: (readonly [Expression, Expression])[] = [];
    while (!this.#take('}')) {
      const key = this.expression();
      this.#need(':');
      entries.push([key, this.expression()]);
      if (!this.#take(',') && this.#peek().text !== '}') this.#unexpected();
    }
    return this.#node({ kind: 'map', entries }, entries.flat());
  }

  #list(close: string): Expression[] {
    const items: Expression[] = [];
    while (!this.#take(close)) {
      items.push(this.expression());
      if (!this.#take(',') && this.#peek().text !== close) this.#unexpected();
    }
    return items;
  }

  #identifier(): string {
    const { kind, text } = this.#peek();
    if (kind !== 'name') this.#unexpected();
    this.#at++;
    return text;
  }
  #peek(): Token {
    return this.#tokens[this.#at]!;
  }
  #take(text: string): boolean {
    const token = this.#peek();
    if (token.kind !== 'sign' || token.text !== text) return false;
    this.#at++;
    return true;
  }
  #need(text: string): void {
    if (!this.#take(text)) this.#unexpected();
  }
  #unexpected(): never {
    const { kind, text, position } = this.#peek();
    throw new ExpressionError(
      kind === 'end' ? 'ends too early' : `has an unexpected \`${text}\` at position ${position}`,
    );
  }
}

const LOGICAL = new Set(['&&', '||']);
const SIGNS = [
  ['!', '!_'],
  ['-', '-_'],
] as const;
const LEVELS: readonly ReadonlySet<string>[] = [
  new Set(['||']),
  new Set(['&&']),
  RELATIONS,
  new Set(['+', '-']),
  new Set(['*', '/', '%']),
];

function checked(value: bigint | number): bigint | number {
  if (typeof value === 'bigint' && (value > 0x7fffffffffffffffn || value < -0x8000000000000000n))
    throw new ExpressionError(`has a whole number that is too large: \`${value}\``);
  return value;
}
