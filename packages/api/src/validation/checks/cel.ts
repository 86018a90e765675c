/**
 * Whether a text is an expression of the Common Expression Language (github.com/google/cel-spec, "Syntax"). Only its form
 * is looked at: what a name means is known where it is evaluated.
 */

const STRING = String.raw`(?:[rR][bB]?|[bB][rR]?)?(?:"""[^]*?"""|'''[^]*?'''|"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*')`;
const NUMBER = String.raw`0x[0-9a-fA-F]+u?|\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?|\d+u?`;
const TOKEN = new RegExp(
  String.raw`(?:\s|//[^\n]*)*(?:(?<literal>${STRING}|(?:${NUMBER})(?![\w]))|(?<name>[A-Za-z_]\w*)|(?<sign>&&|\|\||[<>=!]=|[<>+\-*/%!?:.,()[\]{}]))`,
  'y',
);
const REST = /(?:\s|\/\/[^\n]*)*$/y;

/** Words that name nothing. */
const RESERVED = new Set(
  'as break const continue else for function if import in let loop package namespace return var void while'.split(' '),
);
const VALUES = new Set(['true', 'false', 'null']);
/** From the loosest to the closest. */
const BINARY = [['||'], ['&&'], ['<', '<=', '>=', '>', '==', '!=', 'in'], ['+', '-'], ['*', '/', '%']] as const;

interface Token {
  readonly kind: 'literal' | 'name' | 'sign';
  readonly text: string;
  readonly at: number;
}

/** Why a text is no CEL expression, with the column where it stops being one; undefined when it is. */
export function celProblem(text: string): string | undefined {
  const tokens: Token[] = [];
  for (let at = 0; ;) {
    REST.lastIndex = at;
    if (REST.test(text)) break;
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) return `nothing can begin as at column ${at + 1}`;
    at = TOKEN.lastIndex;
    const [kind, found] = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined) as [
      Token['kind'],
      string,
    ];
    tokens.push({ kind, text: found, at: at - found.length });
  }
  const stop = new Parser(tokens).stop();
  if (stop === undefined) return undefined;
  const token = tokens[stop];
  return token === undefined ? 'it ends too early' : `\`${token.text}\` is not expected at column ${token.at + 1}`;
}

/** Walks over the tokens; what stands in the way is where it stops. */
class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** The place of the first token that does not fit; undefined when all do. */
  stop(): number | undefined {
    return this.#expression() && this.#next === this.#tokens.length ? undefined : this.#next;
  }

  #expression(): boolean {
    if (!this.#binary(0)) return false;
    if (!this.#takes('?')) return true;
    return this.#binary(0) && this.#takes(':') && this.#expression();
  }

  #binary(level: number): boolean {
    const operators: readonly string[] | undefined = BINARY[level];
    if (operators === undefined) return this.#unary();
    do if (!this.#binary(level + 1)) return false;
    while (operators.some((operator) => this.#takes(operator)));
    return true;
  }

  #unary(): boolean {
    const sign = ['!', '-'].find((each) => this.#takes(each));
    while (sign !== undefined && this.#takes(sign));
    return this.#member();
  }

  #member(): boolean {
    if (!this.#primary()) return false;
    for (;;) {
      if (this.#takes('.')) {
        if (!this.#name()) return false;
        if (this.#takes('(') && !this.#list(')')) return false;
      } else if (this.#takes('[')) {
        if (!this.#expression() || !this.#takes(']')) return false;
      } else if (this.#takes('{')) {
        if (!this.#list('}', true)) return false;
      } else return true;
    }
  }

  #primary(): boolean {
    if (this.#takes('(')) return this.#expression() && this.#takes(')');
    if (this.#takes('[')) return this.#list(']');
    if (this.#takes('{')) return this.#list('}', true);
    const token = this.#tokens[this.#next];
    if (token?.kind === 'literal' || VALUES.has(token?.text ?? '')) {
      this.#next++;
      return true;
    }
    this.#takes('.');
    if (!this.#name()) return false;
    return this.#takes('(') ? this.#list(')') : true;
  }

  /** Expressions, or pairs of them, up to the sign that ends them. */
  #list(end: string, pairs = false): boolean {
    while (!this.#takes(end)) {
      if (!this.#expression()) return false;
      if (pairs && !(this.#takes(':') && this.#expression())) return false;
      // Arguments have no comma after the last one; lists and maps may.
      if (this.#takes(',')) {
        if (end === ')' && this.#tokens[this.#next]?.text === end) return false;
      } else return this.#takes(end);
    }
    return true;
  }

  #name(): boolean {
    const token = this.#tokens[this.#next];
    if (token?.kind !== 'name' || RESERVED.has(token.text) || VALUES.has(token.text)) return false;
    this.#next++;
    return true;
  }

  #takes(text: string): boolean {
    const token = this.#tokens[this.#next];
    if (token === undefined || token.kind === 'literal' || token.text !== text) return false;
    this.#next++;
    return true;
  }
}
