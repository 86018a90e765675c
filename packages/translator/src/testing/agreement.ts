import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildSnapshot, parseDocuments, type SourceDocument } from '@mizzen/api';
import { buildModel } from '@mizzen/model';
import { translate } from '../translate.ts';
import type { Node, XdsResources } from '../types.ts';

/** Comparing what is translated with recordings of istiod, leaf by leaf. */

export const TYPES = ['clusters', 'endpoints', 'listeners', 'routes'] as const;
export type ResourceType = (typeof TYPES)[number];

export interface Difference {
  readonly path: string;
  readonly want: string;
  readonly got: string;
}
export interface Agreement {
  readonly same: number;
  readonly total: number;
  readonly differences: readonly Difference[];
}

export interface Case {
  readonly id: string;
  readonly folder: string;
  readonly kinds: readonly string[];
  /** Paths that differ between istiod's own runs. */
  readonly varies: readonly string[];
}

/** Kinds that are not translated yet. */
const LATER = new Set(['HBONE', 'Ingress', 'HTTPRoute']);

export function casesOf(folder: string): Case[] {
  const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Omit<Case, 'folder'>[];
  return index
    .map((entry) => ({ ...entry, folder: join(folder, entry.id) }))
    .filter((entry) => !entry.kinds.some((kind) => LATER.has(kind)));
}

/** Agreement of each proxy of a case, by type. */
export function runCase(entry: Case): { readonly node: string; readonly byType: Record<ResourceType, Agreement> }[] {
  const read = (name: string): string => readFileSync(join(entry.folder, name), 'utf8');
  const { resources } = parseDocuments('inputs.yaml', read('inputs.yaml'));
  // Without a file istiod has its own defaults, not those that an installed mesh adds to them.
  const text = existsSync(join(entry.folder, 'mesh.yaml')) ? read('mesh.yaml') : '{}\n';
  const meshConfig: SourceDocument = { file: 'mesh.yaml', index: 0, firstLine: 1, text };
  const model = buildModel(buildSnapshot(resources, { version: 1, meshConfig }).snapshot);
  return readdirSync(entry.folder)
    .filter((name) => /^node-\d+\.json$/.test(name))
    .map((name) => {
      const node = JSON.parse(read(name)) as Node;
      const want = JSON.parse(read(name.replace('node', 'xds'))) as Partial<XdsResources>;
      const got = translate(model, node).resources;
      const byType = Object.fromEntries(
        TYPES.map((type) => [type, compare(want[type] ?? [], got[type], type)]),
      ) as Record<ResourceType, Agreement>;
      return { node: name, byType };
    });
}

function compare(want: unknown, got: unknown, type: string): Agreement {
  const a = flatten(want, type, new Map());
  const b = flatten(got, type, new Map());
  const keys = [...new Set([...a.keys(), ...b.keys()])].sort();
  const differences = keys
    .filter((key) => a.get(key) !== b.get(key))
    .map((path) => ({ path, want: a.get(path) ?? '—', got: b.get(path) ?? '—' }));
  return { same: keys.length - differences.length, total: keys.length, differences };
}

function nameOf(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const { name, clusterName } = item as { name?: string; clusterName?: string };
  return name !== undefined && name !== '' ? name : clusterName;
}

/** Path → value; lists of things with names by name (and their order as one more leaf), other lists by position. */
function flatten(value: unknown, path: string, out: Map<string, string>): Map<string, string> {
  if (Array.isArray(value)) {
    const names = value.map(nameOf);
    const keyed = names.every((name) => name !== undefined) && new Set(names).size === names.length;
    for (const [index, item] of value.entries()) flatten(item, `${path}/${keyed ? names[index] : index}`, out);
    if (keyed) out.set(`${path}#order`, path.includes('/') && path.split('/').length > 2 ? names.join('|') : '');
    if (value.length === 0) out.set(path, '[]');
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    for (const [key, item] of entries) flatten(item, `${path}/${key}`, out);
    if (entries.length === 0) out.set(path, '{}');
  } else if (value !== undefined) out.set(path, JSON.stringify(value));
  return out;
}
