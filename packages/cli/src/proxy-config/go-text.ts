import { isObject } from './read-dump.ts';

/** JSON with four spaces, as Go's encoding/json indents it; `escaped`: with `<`, `>` and `&` as that writes them, too. */
export function goJson(value: unknown, escaped: boolean): string {
  const text = JSON.stringify(value, undefined, 4);
  return escaped ? text.replace(/[<>&\u2028\u2029]/g, unicode) : text;
}

function unicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * YAML as sigs.k8s.io/yaml makes it of JSON: keys sorted (numbers in them by value), lists at the indentation of their
 * key, texts quoted only where they would be read as something else, and folded at the first space after column 80.
 */
export function goYaml(value: unknown): string {
  return `${lines(value, '').join('\n')}\n`;
}

function lines(value: unknown, indent: string): string[] {
  if (Array.isArray(value) && value.length > 0) return value.flatMap((item) => entry(item, indent));
  if (isObject(value) && Object.keys(value).length > 0) {
    return Object.keys(value)
      .toSorted(compareKeys)
      .flatMap((key) => member(key, value[key], indent));
  }
  return [indent + scalar(value, indent, indent.length)];
}

function entry(item: unknown, indent: string): string[] {
  if (isScalar(item)) return [`${indent}- ${scalar(item, indent, indent.length + 2)}`];
  const [first = '', ...rest] = lines(item, `${indent}  `);
  return [`${indent}- ${first.slice(indent.length + 2)}`, ...rest];
}

function member(key: string, value: unknown, indent: string): string[] {
  const label = `${indent}${scalar(key, indent, 0, false)}:`;
  if (isScalar(value)) return [`${label} ${scalar(value, indent, label.length + 1)}`];
  return [label, ...lines(value, Array.isArray(value) ? indent : `${indent}  `)];
}

function isScalar(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return !isObject(value) || Object.keys(value).length === 0;
}

const PRINTABLE = /^[\n\x20-\x7e\u0085\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]*$/;

/** `indent`: of the collection it is in; `column`: where it begins; `foldable`: it may go on in another line. */
function scalar(value: unknown, indent: string, column: number, foldable = true): string {
  if (Array.isArray(value)) return '[]';
  if (isObject(value)) return '{}';
  if (typeof value !== 'string') return String(value);
  const folded = (text: string, style: Style): string => (foldable ? fold(text, style, indent, column) : text);
  const printable = PRINTABLE.test(value);
  if (value.includes('\n')) {
    const block = foldable && printable && !/ \n| $/.test(value);
    return block ? literal(value, indent) : quoted(value, (text) => folded(text, 'double'));
  }
  if (resolvesToOther(value) || !printable) return quoted(value, (text) => folded(text, 'double'));
  if (isPlain(value)) return folded(value, 'plain');
  return folded(`'${value.replaceAll("'", "''")}'`, 'single');
}

type Style = 'plain' | 'single' | 'double';
const WIDTH = 80;

function fold(text: string, style: Style, indent: string, start: number): string {
  let [out, column] = ['', start];
  const characters = Array.from(text);
  const edge = style === 'plain' ? 0 : 2;
  for (const [index, character] of characters.entries()) {
    const next = characters[index + 1];
    const inside = style === 'plain' || (index >= edge && index < characters.length - edge);
    const breaks = character === ' ' && characters[index - 1] !== ' ' && column > WIDTH && inside;
    if (breaks && (style === 'double' || next !== ' ')) {
      out += `\n${indent}  ${style === 'double' && next === ' ' ? '\\' : ''}`;
      column = indent.length + 2;
    } else {
      out += character;
      column += 1;
    }
  }
  return out;
}

function literal(value: string, indent: string): string {
  const body = value.replace(/\n+$/, '');
  const ends = value.length - body.length;
  const keep = ends === 0 ? '-' : ends === 1 && body !== '' ? '' : '+';
  const mark = `|${/^[ \n]/.test(value) ? '2' : ''}${keep}`;
  const text = ends > 0 ? value.slice(0, -1) : value;
  return [mark, ...text.split('\n').map((line) => (line === '' ? '' : `${indent}  ${line}`))].join('\n');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\0': '\\0',
  '\b': '\\b',
  '\f': '\\f',
  '\v': '\\v',
  '\u0007': '\\a',
  '\u001b': '\\e',
  '\u0085': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function quoted(value: string, folded: (text: string) => string): string {
  const escape = (character: string): string => {
    const known = ESCAPES[character];
    if (known !== undefined) return known;
    if (PRINTABLE.test(character)) return character;
    const code = character.codePointAt(0)!;
    const [mark, digits] = code <= 0xff ? ['x', 2] : code <= 0xffff ? ['u', 4] : ['U', 8];
    return `\\${mark}${code
      .toString(16)
      .toUpperCase()
      .padStart(digits as number, '0')}`;
  };
  return folded(`"${Array.from(value, escape).join('')}"`);
}

/** Whether YAML 1.1, as Go's package reads it, takes a plain text for null, a truth value, a number or a time. */
function resolvesToOther(text: string): boolean {
  return (
    text === '' ||
    /^(?:~|null|Null|NULL)$/.test(text) ||
    /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF|true|True|TRUE|false|False|FALSE)$/.test(text) ||
    isNumber(text) ||
    /^\d{4}-\d{1,2}-\d{1,2}(?:(?:[Tt]|\s+)\d{1,2}:\d{2}:\d{2}(?:\.\d*)?\s*(?:Z|[-+]\d{1,2}(?::?\d{2})?)?)?$/.test(text)
  );
}

function isNumber(text: string): boolean {
  const plain = text.replaceAll('_', '');
  return (
    (/^[-+]?(?:0b[01]+|0o[0-7]+|0x[0-9a-fA-F]+|\d+)$/.test(plain) && /^[-+.0-9]/.test(text)) ||
    /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(plain) ||
    /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/.test(text) ||
    /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/.test(text)
  );
}

/** Whether a text may stand without quotes inside a block. */
function isPlain(text: string): boolean {
  return (
    !/^[-?:](?: |$)/.test(text) &&
    !/^[,[\]{}#&*!|>'"%@` ]/.test(text) &&
    !/^(?:---|\.\.\.)/.test(text) &&
    !/:(?: |$)| #| $|[\u0085\u2028\u2029]/.test(text)
  );
}

/** By characters, letters after all else, numbers by value. */
function compareKeys(a: string, b: string): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] === b[i]) continue;
    const [letterA, letterB] = [/\p{L}/u.test(a[i]!), /\p{L}/u.test(b[i]!)];
    if (letterA && letterB) return a[i]! < b[i]! ? -1 : 1;
    if (letterA || letterB) return letterB ? -1 : 1;
    const [x, y] = [/^\d*/.exec(a.slice(i))![0], /^\d*/.exec(b.slice(i))![0]];
    if (Number(x) !== Number(y)) return Number(x) - Number(y);
    if (x.length !== y.length) return x.length - y.length;
    return a[i]! < b[i]! ? -1 : 1;
  }
  return a.length - b.length;
}
