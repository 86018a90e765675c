import type { Path, Span } from '@mizzen/diagnostics';
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import type { Document, LineCounter, Node, Range } from 'yaml';
import type { SourceDocument } from '../resource.ts';

let loaded: typeof Yaml | undefined;

/** The parser that knows positions, loaded when the first one is wanted: most starts never ask. */
function yaml(): typeof Yaml {
  return (loaded ??= createRequire(import.meta.url)('yaml') as typeof Yaml);
}

interface Parsed {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

const parsed = new WeakMap<SourceDocument, Parsed>();

/**
 * Where `path` is in the text a person wrote. Reads the document again, with positions, the first time it is asked about
 * it. A path that leads nowhere gives the closest enclosing part: a missing field is shown at the object it is missing
 * from. Values that span lines (maps, lists) are shown at their key. Undefined for what was never a text.
 */
export function locateIn(source: SourceDocument, path: Path, at: 'key' | 'value' = 'value'): Span | undefined {
  if (source.file.startsWith('<default>')) return undefined;
  const { document, lines } = parse(source);
  let node: unknown = document.contents;
  let key: unknown;
  let complete = true;
  for (const segment of source.prefix ? [...source.prefix, ...path] : path) {
    const next = step(node, segment);
    if (!next) {
      complete = false;
      break;
    }
    if (next.key !== undefined) key = next.key;
    else if (yaml().isCollection(next.value)) key = undefined;
    node = yaml().isAlias(next.value) ? next.value.resolve(document) : next.value;
  }
  const wanted = (at === 'key' && complete) || isBlock(node) ? (key ?? node) : node;
  return span(source, lines, rangeOf(wanted) ?? rangeOf(key) ?? rangeOf(document.contents));
}

function parse(source: SourceDocument): Parsed {
  let result = parsed.get(source);
  if (!result) {
    const { LineCounter, parseDocument } = yaml();
    const lines = new LineCounter();
    const document = parseDocument(source.text, { lineCounter: lines, uniqueKeys: false, logLevel: 'silent' });
    parsed.set(source, (result = { document, lines }));
  }
  return result;
}

function step(node: unknown, segment: string | number): { key?: Node; value: unknown } | undefined {
  const { isMap, isPair, isScalar, isSeq } = yaml();
  if (isSeq(node)) {
    const value = typeof segment === 'number' ? node.items[segment] : undefined;
    return value === undefined ? undefined : { value };
  }
  if (!isMap(node)) return undefined;
  for (const pair of node.items) {
    if (isPair(pair) && isScalar(pair.key) && sameKey(String(pair.key.value), String(segment))) {
      return { key: pair.key as Node, value: pair.value };
    }
  }
  return undefined;
}

/** Resources hold camelCase names; a person may have written the field's original name with underscores. */
function sameKey(written: string, wanted: string): boolean {
  return written === wanted || (written.includes('_') && camelCase(written) === wanted);
}

export function camelCase(name: string): string {
  return name.replace(/_([a-z\d])/g, (_, letter: string) => letter.toUpperCase());
}

function isBlock(node: unknown): boolean {
  const { isCollection, isScalar } = yaml();
  if (isCollection(node)) return !node.flow;
  return isScalar(node) && (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED' || node.source === '');
}

function rangeOf(node: unknown): Range | undefined {
  return (node as Node | undefined)?.range ?? undefined;
}

function span(source: SourceDocument, lines: LineCounter, range: Range | undefined): Span {
  const [start, end] = range ?? [0, 0];
  const from = lines.linePos(start);
  const to = lines.linePos(Math.max(start, end));
  const shift = source.firstLine - 1;
  return {
    file: source.file,
    line: Math.max(1, from.line) + shift,
    column: Math.max(1, from.col),
    endLine: Math.max(1, to.line) + shift,
    endColumn: Math.max(1, to.col),
  };
}
