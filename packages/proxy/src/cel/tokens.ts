import { wire } from '../program/values.ts';
import { ExpressionError } from './ast.ts';
import { Bytes, Uint } from './values.ts';

export interface Token {
  readonly kind: 'name' | 'number' | 'text' | 'sign' | 'end';
  readonly text: string;
  readonly position: number;
  readonly value?: bigint | number | string | Uint | Bytes;
}

const SPACE = /(?:\s|\/\/[^\n]*)*/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)|\d+[uU]?/y;
const SIGN = /&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()[\]{}]/y;
const TEXT =
  /([rRbB]{0,2})("""[^]*?(?<!(?<!\\)(?:\\\\)*\\)"""|'''[^]*?(?<!(?<!\\)(?:\\\\)*\\)'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')/y;
const RAW = /([rR][bB]?|[bB][rR])("""[^]*?"""|'''[^]*?'''|"[^"\n]*"|'[^'\n]*')/y;

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  for (;;) {
    at += match(SPACE)![0].length;
    if (at >= text.length) {
      tokens.push({ kind: 'end', text: '', position: at });
      return tokens;
    }
    const literal = match(RAW) ?? match(TEXT);
    const word = literal ?? match(NUMBER) ?? match(NAME) ?? match(SIGN);
    if (word === null) throw new ExpressionError(`has an unexpected \`${text[at]}\` at position ${at}`);
    const [whole] = word;
    const position = at;
    at += whole.length;
    if (literal !== null) tokens.push({ kind: 'text', text: whole, position, value: textOf(literal[1]!, literal[2]!) });
    else if (/^\.?\d/.test(whole)) tokens.push({ kind: 'number', text: whole, position, value: numberOf(whole) });
    else if (/^[A-Za-z_]/.test(whole)) tokens.push({ kind: whole === 'in' ? 'sign' : 'name', text: whole, position });
    else tokens.push({ kind: 'sign', text: whole, position });
  }
}

function numberOf(text: string): bigint | number | Uint {
  if (/[uU]$/.test(text)) return new Uint(BigInt(text.slice(0, -1)));
  return /^0[xX]|^\d+$/.test(text) ? BigInt(text) : Number(text);
}

function textOf(prefix: string, quoted: string): string | Bytes {
  const marks = quoted.startsWith('"""') || quoted.startsWith("'''") ? 3 : 1;
  const inner = quoted.slice(marks, -marks);
  const bytes = /b/i.test(prefix);
  const value = /r/i.test(prefix) ? wire(inner) : unescape(inner, bytes);
  return bytes ? new Bytes(value) : value;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '?': '?',
  '"': '"',
  "'": "'",
  '`': '`',
};
const ESCAPE = /\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([^]))/g;

/** In bytes `\x` and octal numbers are bytes, in text they are characters. */
function unescape(text: string, bytes: boolean): string {
  let out = '';
  let last = 0;
  for (const found of text.matchAll(ESCAPE)) {
    const [whole, hex, short, long, octal, letter] = found;
    out += wire(text.slice(last, found.index));
    last = found.index + whole.length;
    const code = hex ?? short ?? long;
    if (letter !== undefined) {
      const escaped = ESCAPES[letter];
      if (escaped === undefined) throw new ExpressionError(`has an unknown escape \`${whole}\``);
      out += escaped;
    } else {
      const point = code === undefined ? Number.parseInt(octal!, 8) : Number.parseInt(code, 16);
      if (point > 0x10ffff) throw new ExpressionError(`has an unknown escape \`${whole}\``);
      out +=
        bytes && short === undefined && long === undefined
          ? String.fromCharCode(point)
          : wire(String.fromCodePoint(point));
    }
  }
  return out + wire(text.slice(last));
}
