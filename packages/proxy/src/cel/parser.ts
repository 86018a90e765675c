import { wire } from '../program/values.ts';
import { ExpressionError, type Expression } from './ast.ts';
import { tokenize, type Token } from './tokens.ts';
import type { Value } from './values.ts';

/** Parses an expression. Throws ExpressionError. */
export function parseExpression(text: string): Expression {
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
const MAX_DEPTH = 100;

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  end(): void {
    if (this.#peek().kind !== 'end') this.#unexpected();
  }

  expression(): Expression {
    if (++this.#depth > MAX_DEPTH) throw new ExpressionError('is nested too deeply');
    const condition = this.#binary(0);
    this.#depth--;
    if (!this.#take('?')) return condition;
    const yes = this.#binary(0);
    this.#need(':');
    const no = this.expression();
    return call('_?_:_', [condition, yes, no]);
  }

  #binary(level: number): Expression {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const { kind, text } = this.#peek();
      if (kind === 'text' || kind === 'end' || !operators.has(text)) return left;
      this.#at++;
      const right = this.#binary(level + 1);
      left = call(RELATIONS.has(text) && text === 'in' ? '@in' : `_${text}_`, [left, right]);
    }
  }

  #unary(): Expression {
    for (const [sign, name] of [
      ['!', '!_'],
      ['-', '-_'],
    ] as const) {
      if (!this.#take(sign)) continue;
      const next = this.#peek();
      if (sign === '-' && next.kind === 'number' && typeof next.value !== 'object' && next.value !== undefined) {
        this.#at++;
        const negative = -(next.value as bigint);
        return this.#member({ kind: 'constant', value: checked(negative) });
      }
      if (++this.#depth > MAX_DEPTH) throw new ExpressionError('is nested too deeply');
      const operand = this.#unary();
      this.#depth--;
      return call(name, [operand]);
    }
    return this.#member(this.#primary());
  }

  #member(first: Expression): Expression {
    let operand = first;
    for (;;) {
      if (this.#take('.')) {
        const name = this.#identifier();
        if (this.#take('(')) operand = this.#method(operand, name, this.#list(')'));
        else operand = { kind: 'select', operand, field: wire(name), test: false };
      } else if (this.#take('[')) {
        const index = this.expression();
        this.#need(']');
        operand = call('_[_]', [operand, index]);
      } else return operand;
    }
  }

  #method(target: Expression, name: string, args: readonly Expression[]): Expression {
    if (LOOPS.has(name) && args.length >= 2)
      throw new ExpressionError(`goes through values with \`${name}\`, which is not supported`);
    return { kind: 'call', name, target, args };
  }

  #primary(): Expression {
    const token = this.#peek();
    if (token.kind === 'number' || token.kind === 'text') {
      this.#at++;
      if (typeof token.value === 'bigint') checked(token.value);
      return { kind: 'constant', value: token.value as Value };
    }
    if (this.#take('(')) {
      const inner = this.expression();
      this.#need(')');
      return inner;
    }
    if (this.#take('[')) return { kind: 'list', items: this.#list(']') };
    if (this.#take('{')) return this.#map();
    this.#take('.');
    const name = this.#identifier();
    if (name === 'true' || name === 'false') return { kind: 'constant', value: name === 'true' };
    if (name === 'null') return { kind: 'constant', value: null };
    if (RESERVED.has(name)) throw new ExpressionError(`uses the reserved word \`${name}\``);
    if (!this.#take('(')) return { kind: 'identifier', name };
    const args = this.#list(')');
    if (name !== 'has') return call(name, args);
    const [only] = args;
    if (args.length !== 1 || only?.kind !== 'select') throw new ExpressionError('`has` takes the selection of a field');
    return { ...only, test: true };
  }

  #map(): Expression {
    const entries: (readonly [Expression, Expression])[] = [];
    while (!this.#take('}')) {
      const key = this.expression();
      this.#need(':');
      entries.push([key, this.expression()]);
      if (!this.#take(',') && this.#peek().text !== '}') this.#unexpected();
    }
    return { kind: 'map', entries };
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

const LEVELS: readonly ReadonlySet<string>[] = [
  new Set(['||']),
  new Set(['&&']),
  RELATIONS,
  new Set(['+', '-']),
  new Set(['*', '/', '%']),
];

function call(name: string, args: readonly Expression[]): Expression {
  return { kind: 'call', name, target: undefined, args };
}

function checked(value: bigint | number): bigint | number {
  if (typeof value === 'bigint' && (value > 0x7fffffffffffffffn || value < -0x8000000000000000n))
    throw new ExpressionError(`has a whole number that is too large: \`${value}\``);
  return value;
}
