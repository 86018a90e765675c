import { didYouMean, type Diagnostic, type Path } from '@mizzen/diagnostics';
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import { milliseconds } from '../duration.ts';
import { written } from './template.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Reads values of a YAML document and collects what is wrong with them, each with its place. */
export class Reader {
  readonly diagnostics: Diagnostic[] = [];
  readonly value: unknown;
  readonly #file: string;
  readonly #document: Document;
  readonly #lines = new LineCounter();

  constructor(file: string, text: string) {
    this.#file = file;
    this.#document = parseDocument(text, { lineCounter: this.#lines });
    for (const { message, pos } of this.#document.errors) this.#report((message.split('\n')[0] ?? '').trim(), pos);
    this.value = this.diagnostics.length > 0 ? undefined : (this.#document.toJS() as unknown);
  }

  wrong(path: Path, message: string, help?: string): undefined {
    let node: unknown;
    // The closest thing there is: what is missing is reported where it should be.
    for (let length = path.length; length >= 0 && !isNode(node); length--) {
      node = length === 0 ? this.#document.contents : this.#document.getIn(path.slice(0, length), true);
    }
    const [from, to] = isNode(node) ? (node.range ?? [0, 0]) : [0, 0];
    const where = path.length === 0 ? '' : `${dotted(path)}: `;
    this.#report(`${where}${message}`, [from, to], help);
    return undefined;
  }

  object(value: unknown, path: Path, known?: readonly string[]): Fields | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return this.wrong(path, 'must be a map');
    }
    for (const key of known === undefined ? [] : Object.keys(value)) {
      if (known!.includes(key)) continue;
      const near = didYouMean(key, known!);
      const help = near === undefined ? `it may have ${known!.join(', ')}` : `did you mean \`${near}\`?`;
      this.#unknown(path, key, help);
    }
    return value as Fields;
  }

  list(value: unknown, path: Path): readonly unknown[] {
    if (value === undefined) return [];
    if (Array.isArray(value)) return value;
    this.wrong(path, 'must be a list');
    return [];
  }

  string(value: unknown, path: Path): string | undefined {
    if (value === undefined || typeof value === 'string') return value;
    return this.wrong(path, 'must be a text');
  }

  /** A text, or a number or boolean written without quotes. */
  scalar(value: unknown, path: Path): string | undefined {
    if (['string', 'number', 'boolean'].includes(typeof value)) return String(value);
    return this.wrong(path, 'must be a text, a number or true or false');
  }

  /** One or a list of them. */
  scalars(value: unknown, path: Path): readonly string[] {
    if (value === undefined) return [];
    const all = Array.isArray(value) ? value : [value];
    return all.flatMap((each, i) => this.scalar(each, Array.isArray(value) ? [...path, i] : path) ?? []);
  }

  number(value: unknown, path: Path, from = 0, whole = false): number | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isFinite(value) || value < from || (whole && !Number.isInteger(value))) {
      return this.wrong(path, `must be a ${whole ? 'whole ' : ''}number of at least ${from}`);
    }
    return value;
  }

  duration(value: unknown, path: Path): number | undefined {
    if (value === undefined) return undefined;
    const ms = milliseconds(value);
    return ms ?? this.wrong(path, `\`${written(value)}\` is not a duration`, 'such as 200ms, 2s, 1m, or seconds');
  }

  oneOf<T extends string>(value: unknown, path: Path, known: readonly T[]): T | undefined {
    if (value === undefined || known.includes(value as T)) return value as T | undefined;
    return this.wrong(path, `\`${written(value)}\` is none of ${known.join(', ')}`);
  }

  regex(value: unknown, path: Path): RegExp | undefined {
    const text = this.string(value, path);
    if (text === undefined) return undefined;
    try {
      return new RegExp(text, 'u');
    } catch (error) {
      return this.wrong(path, (error as Error).message.toLowerCase());
    }
  }

  #unknown(path: Path, key: string, help: string): void {
    const parent = path.length === 0 ? this.#document.contents : this.#document.getIn(path, true);
    const pair = isMap(parent) ? parent.items.find((each) => isScalar(each.key) && each.key.value === key) : undefined;
    const [from, to] = (isScalar(pair?.key) ? pair.key.range : undefined) ?? [0, 0];
    this.#report(`${dotted([...path, key])}: there is no such field`, [from, to], help);
  }

  #report(message: string, [from, to]: readonly [number, number], help?: string): void {
    const start = this.#lines.linePos(from);
    // What all scenarios share is read with each of them.
    const told = (each: Diagnostic): boolean => each.message === message && each.span?.line === start.line;
    if (this.diagnostics.some(told)) return;
    const end = this.#lines.linePos(Math.max(from, to));
    this.diagnostics.push({
      code: 'MZ0301',
      severity: 'error',
      message,
      span: { file: this.#file, line: start.line, column: start.col, endLine: end.line, endColumn: end.col },
      ...(help === undefined ? {} : { help }),
    });
  }
}

function dotted(path: Path): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
}
