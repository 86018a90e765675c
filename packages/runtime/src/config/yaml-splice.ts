import { isDeepStrictEqual } from 'node:util';
import {
  Document,
  isMap,
  isSeq,
  isScalar,
  type Pair,
  parseDocument,
  type ParsedNode,
  stringify,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';

export type YamlPath = readonly (string | number)[];

/** `value` at `path`, which may be one behind the end of a list; undefined takes the key away. `before`: where a new key goes, when it is to be before another. */
export interface Change {
  readonly path: YamlPath;
  readonly value: unknown;
  readonly before?: string;
}

/**
 * A document with values changed, and every other byte of it (comments, quotes, blank lines) as it was. What cannot be
 * changed in place is written anew from the document's tree, which keeps comments but not all of the layout.
 */
export function spliced(text: string, changes: readonly Change[]): string {
  let now = text;
  for (const change of changes) now = splicedOnce(now, change);
  return now;
}

function splicedOnce(text: string, change: Change): string {
  const document = parseDocument(text);
  const wanted = withoutAliases(text);
  if (change.value === undefined) wanted.deleteIn(change.path);
  else wanted.setIn(change.path, wanted.createNode(change.value));
  const inPlace = inText(text, document, change);
  // The text is only believed when it says what was meant.
  if (inPlace !== undefined) {
    const parsed = parseDocument(inPlace);
    if (parsed.errors.length === 0 && isDeepStrictEqual(parsed.toJS(), wanted.toJS())) return inPlace;
  }
  return wanted.toString({ lineWidth: 0 });
}

/** What is changed at one place is not to change at another. */
function withoutAliases(text: string): Document.Parsed {
  const document = parseDocument(text);
  visit(document, {
    Alias: (_key, alias) => {
      const copy = alias.resolve(document)?.clone() as ParsedNode | undefined;
      if (copy === undefined) return undefined;
      if ('anchor' in copy) delete copy.anchor;
      return copy;
    },
  });
  visit(document, {
    Node: (_key, node) => {
      if ('anchor' in node) delete node.anchor;
    },
  });
  return document;
}

type Located = Pair<ParsedNode, ParsedNode | null>;

function inText(text: string, document: Document.Parsed, { path, value, before }: Change): string | undefined {
  const map: unknown = document.getIn(path.slice(0, -1), true);
  const key = path.at(-1);
  if (isSeq(map)) return typeof key === 'number' && key === map.items.length ? added(text, map, value) : undefined;
  if (!isMap(map) || typeof key !== 'string') return undefined;
  const items = map.items as Located[];
  const at = items.findIndex((pair) => isScalar(pair.key) && pair.key.value === key);
  const flow = map.flow === true;
  const pair = items[at];
  if (pair === undefined) {
    if (value === undefined) return text;
    const next = items.find((each) => isScalar(each.key) && each.key.value === before);
    return next === undefined ? appended(text, map, key, value) : insertedBefore(text, next, flow, key, value);
  }
  if (value !== undefined) return replaced(text, pair, flow, key, value);
  return items.length === 1 ? undefined : removed(text, items, at, flow);
}

function replaced(text: string, pair: Located, flow: boolean, key: string, value: unknown): string | undefined {
  const { range } = pair.value ?? {};
  if (range === undefined || range === null || pair.value?.anchor !== undefined) return undefined;
  if (typeof value !== 'object' && isScalar(pair.value)) {
    return text.slice(0, range[0]) + scalarText(value) + text.slice(range[1]);
  }
  const start = pair.key.range[0];
  const indent = columnOf(text, start);
  return text.slice(0, start) + pairText(key, value, flow, indent) + text.slice(contentEnd(text, range[1]));
}

function insertedBefore(text: string, next: Located, flow: boolean, key: string, value: unknown): string {
  const start = next.key.range[0];
  const indent = columnOf(text, start);
  const separator = flow ? ', ' : `\n${' '.repeat(indent)}`;
  return text.slice(0, start) + pairText(key, value, flow, indent) + separator + text.slice(start);
}

function appended(text: string, map: YAMLMap, key: string, value: unknown): string | undefined {
  const last = map.items.at(-1) as Located | undefined;
  if (last === undefined) return undefined;
  const end = contentEnd(text, (last.value ?? last.key).range[1]);
  const indent = columnOf(text, (map.items[0] as Located).key.range[0]);
  if (map.flow === true) {
    return `${text.slice(0, end)}, ${pairText(key, value, true, indent)}${text.slice(end)}`;
  }
  const line = lineEnd(text, end);
  return `${text.slice(0, line)}\n${' '.repeat(indent)}${pairText(key, value, false, indent)}${text.slice(line)}`;
}

/** At the end of a list, with braces where the last item has them. */
function added(text: string, list: YAMLSeq, value: unknown): string | undefined {
  const last = list.items.at(-1) as ParsedNode | undefined;
  if (!last?.range) return undefined;
  const end = contentEnd(text, last.range[1]);
  if (list.flow === true) return `${text.slice(0, end)}, ${flowText(value)}${text.slice(end)}`;
  const dash = text.lastIndexOf('-', (list.items[0] as ParsedNode).range[0] - 1);
  const pad = ' '.repeat(columnOf(text, dash));
  const lines = inTheStyleOf(last, value).split('\n').join(`\n${pad}`);
  const line = lineEnd(text, end);
  return `${text.slice(0, line)}\n${pad}${lines}${text.slice(line)}`;
}

/** A list of this value alone. */
function inTheStyleOf(sibling: ParsedNode, value: unknown): string {
  const document = new Document([value]);
  const node: unknown = document.getIn([0], true);
  if (isMap(node) && isMap(sibling)) {
    node.flow = sibling.flow === true;
    for (const { key, value: own } of node.items as Located[]) {
      const theirs: unknown = sibling.get(key, true);
      if (isMap(own) && isMap(theirs)) own.flow = theirs.flow === true;
    }
  }
  return document.toString({ lineWidth: 0 }).trimEnd();
}

function removed(text: string, items: readonly Located[], at: number, flow: boolean): string {
  const pair = items[at]!;
  const start = pair.key.range[0];
  const end = contentEnd(text, (pair.value ?? pair.key).range[1]);
  if (flow) {
    const next = items[at + 1];
    if (next !== undefined) return text.slice(0, start) + text.slice(next.key.range[0]);
    const previous = items[at - 1]!;
    return text.slice(0, contentEnd(text, (previous.value ?? previous.key).range[1])) + text.slice(end);
  }
  const begin = text.lastIndexOf('\n', start - 1) + 1;
  const rest = Math.min(text.length, lineEnd(text, end) + 1);
  if (text.slice(begin, start).trim() === '') return text.slice(0, begin) + text.slice(rest);
  // It is on the line of a dash: what follows it moves up there.
  const following = rest + /^\s*/.exec(text.slice(rest))![0].length;
  return text.slice(0, start) + text.slice(following);
}

function pairText(key: string, value: unknown, flow: boolean, indent: number): string {
  if (typeof value !== 'object' || value === null) return `${key}: ${scalarText(value)}`;
  if (flow) return `${key}: ${flowText(value)}`;
  const pad = ' '.repeat(indent);
  return stringify({ [key]: value }, { lineWidth: 0 })
    .trimEnd()
    .split('\n')
    .join(`\n${pad}`);
}

function flowText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return scalarText(value);
  return `{ ${Object.entries(value)
    .map(([key, each]) => `${key}: ${flowText(each)}`)
    .join(', ')} }`;
}

const scalarText = (value: unknown): string => stringify(value, { lineWidth: 0 }).trimEnd();

/** Where a node's last character is behind it: ranges of collections may reach into what follows. */
function contentEnd(text: string, end: number): number {
  return end - (/\s*$/.exec(text.slice(0, end))?.[0].length ?? 0);
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}
