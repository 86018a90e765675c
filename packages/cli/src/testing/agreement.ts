import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { XdsResources } from '@mizzen/translator';
import { command } from '../commands/x-xds.ts';
import { parse } from '../parse.ts';

/** Comparing what `mizzen x xds` prints with recordings of istiod, leaf by leaf. */

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

/** Agreement of each proxy of a case, by type, as `mizzen x xds` prints its resources. */
export async function runCase(entry: Case): Promise<Record<ResourceType, Agreement>[]> {
  const path = (name: string): string => join(entry.folder, name);
  const nodes = readdirSync(entry.folder).filter((name) => /^node-\d+\.json$/.test(name));
  const mesh = existsSync(path('mesh.yaml')) ? ['--mesh-config', path('mesh.yaml')] : [];
  const printed = JSON.parse(
    await output(['--config', path('inputs.yaml'), ...mesh, ...nodes.flatMap((name) => ['--node', path(name)])]),
  ) as Partial<XdsResources> | readonly Partial<XdsResources>[];
  const all = nodes.length === 1 ? [printed as Partial<XdsResources>] : (printed as readonly Partial<XdsResources>[]);
  return nodes.map((name, index) => {
    const want = JSON.parse(readFileSync(path(name.replace('node', 'xds')), 'utf8')) as Partial<XdsResources>;
    return Object.fromEntries(
      TYPES.map((type) => [type, compare(want[type] ?? [], all[index]?.[type] ?? [], type)]),
    ) as Record<ResourceType, Agreement>;
  });
}

/** What the command prints; what it remarks about the inputs is of no interest here. */
async function output(args: readonly string[]): Promise<string> {
  const out = new PassThrough();
  const err = new PassThrough().resume();
  const printed = text(out);
  await command.run({ ...parse(command, args), out, err, color: false });
  out.end();
  return printed;
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
