import { didYouMean, editDistance } from '@mizzen/diagnostics/suggest.ts';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node } from 'yaml';
import { formatPath } from '../program/path.ts';
import { messageOf } from '../program/read-resource.ts';
import { schema } from '../program/schema.ts';
import type { Nack } from '../types.ts';
import { STATIC_LISTS } from '../xds/static-resources.ts';
import type { RawBootstrap } from './bootstrap.ts';

/** A bootstrap as it was written, to find again what was refused. */
export interface WrittenBootstrap {
  readonly name: string;
  readonly raw: RawBootstrap;
  /** Undefined when it was put together of more than one text. */
  readonly text: string | undefined;
}

/** Refusals as lines for whoever wrote the file: place, resource, field, reason, and advice where there is some. */
export function describeRefusals(nacks: readonly Nack[], { name, raw, text }: WrittenBootstrap): string {
  const lines = new LineCounter();
  const root = text === undefined ? undefined : parseDocument(text, { lineCounter: lines }).contents;
  const described = nacks.map((nack) => {
    const path = [...rootOf(nack, raw), ...readPath(nack.field)];
    const offset = root === undefined || root === null ? undefined : find(root, path, isUnknown(nack));
    const { line, col } = offset === undefined ? { line: 0, col: 0 } : lines.linePos(offset);
    const place = line === 0 ? '' : `${name}:${line}:${col}: `;
    const what = nack.resource === '' ? formatPath(rootOf(nack, raw)) : nack.resource;
    const help = advice(nack, path) ?? unquoted(nack, path, raw);
    return `${place}\`${what}\`: ${nack.field === '' ? '' : `${nack.field}: `}${nack.message}\n${
      help === undefined ? '' : `  help: ${help}\n`
    }`;
  });
  // What is wrong with a value may be seen by more than one that reads it.
  return [...new Set(described)].join('');
}

/** Where the resource stands in the bootstrap; nowhere for what is said of the bootstrap itself. */
function rootOf({ typeUrl, resource }: Nack, raw: RawBootstrap): (string | number)[] {
  const list = STATIC_LISTS[typeUrl];
  if (list === undefined) return [];
  const resources = (raw['staticResources'] ?? raw['static_resources']) as
    | Readonly<Record<string, unknown>>
    | undefined;
  const all = resources?.[list];
  if (!Array.isArray(all)) return [];
  const nameOf = (each: { readonly name?: unknown } | null): string =>
    typeof each?.name === 'string' ? each.name : '';
  const at = all.findIndex((each) => nameOf(each as { readonly name?: unknown } | null) === resource);
  return at < 0 ? [] : ['staticResources', list, at];
}

/** The reverse of formatPath. */
function readPath(field: string): (string | number)[] {
  return [...field.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(([, quoted, index, plain]) =>
    index === undefined ? (quoted === undefined ? plain! : (JSON.parse(`"${quoted}"`) as string)) : Number(index),
  );
}

/** Offset of the deepest part of the path that is there: of the field's name, or of its value when that is one word. */
function find(root: Node, path: readonly (string | number)[], name: boolean): number | undefined {
  let node: unknown = root;
  let offset: number | undefined;
  for (const [depth, part] of path.entries()) {
    if (isSeq(node) && typeof part === 'number') {
      node = node.items[part];
      offset = startOf(node) ?? offset;
    } else if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && sameName(String(key.value), String(part)));
      if (pair === undefined) break;
      node = pair.value;
      const last = depth === path.length - 1;
      offset = (last && !name && isScalar(node) ? startOf(node) : undefined) ?? startOf(pair.key) ?? offset;
    } else break;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return (node as { readonly range?: readonly number[] | null } | null | undefined)?.range?.[0];
}

function sameName(written: string, name: string): boolean {
  return written === name || camelCase(written) === name;
}

function camelCase(name: string): string {
  return name.replace(/_([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function isUnknown({ message }: Nack): boolean {
  return message.endsWith('has no such field');
}

/** `off`, `y`, `1` and their like are no texts in YAML. */
function unquoted({ message }: Nack, path: readonly (string | number)[], raw: RawBootstrap): string | undefined {
  if (message !== 'must be a string') return undefined;
  let value: unknown = raw;
  for (const part of path) value = Object.entries(value ?? {}).find(([name]) => sameName(name, String(part)))?.[1];
  const type = typeof value;
  return type === 'boolean' || type === 'number' ? `put it in quotes: YAML has a ${type} there` : undefined;
}

function advice(nack: Nack, path: readonly (string | number)[]): string | undefined {
  const [, type = ''] = /^`([^`]+)`/.exec(nack.message) ?? [];
  if (isUnknown(nack)) {
    const written = String(path.at(-1));
    if (written === 'config') return 'Envoy takes `typed_config`, with the type in `@type`';
    const guess = didYouMean(camelCase(written), Object.keys(schema().messages[type] ?? {}));
    if (guess === undefined) return undefined;
    const snake = guess.replace(/[A-Z]/g, (letter: string) => `_${letter.toLowerCase()}`);
    return `did you mean \`${written.includes('_') ? snake : guess}\`?`;
  }
  const [, value, enumeration = ''] = /^`([^`]*)` is no value of ([\w.]+)$/.exec(nack.message) ?? [];
  if (value !== undefined) {
    const names = Object.keys(schema().enums[enumeration] ?? {});
    const meant = didYouMean(value, names);
    return meant === undefined ? `one of ${names.join(', ')}` : `did you mean \`${meant}\`?`;
  }
  if (!nack.message.endsWith('is not supported') || type in schema().messages) return undefined;
  if (/\.v2(alpha\d?)?\./.test(type)) return 'this is version 2 of the API, which Envoy no longer has';
  const guess = didYouMean(messageOf(type), Object.keys(schema().messages));
  // Long names are alike without meaning the same.
  return guess === undefined || editDistance(type, guess) > 3 ? undefined : `did you mean \`${guess}\`?`;
}
