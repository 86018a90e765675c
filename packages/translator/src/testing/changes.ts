import { isDeepStrictEqual } from 'node:util';
import type { XdsResources } from '../types.ts';

/** What became of one place: another value, something that was not there before, or nothing. */
export type Change = readonly [was: unknown, is: unknown] | { readonly added: unknown } | 'removed';

/**
 * What is different between two translations, by path. Things with names go by their names, where their order is a change
 * of its own; other list elements by their index, as they are now or (when removed) as they were.
 */
export function changes(before: XdsResources, after: XdsResources): Readonly<Record<string, Change>> {
  const out: Record<string, Change> = {};
  for (const type of ['listeners', 'routes', 'clusters', 'endpoints', 'extensions'] as const) {
    compareNamed(byName(before[type]) ?? new Map(), byName(after[type]) ?? new Map(), [type], out);
  }
  return out;
}

type Out = Record<string, Change>;
type At = readonly (string | number)[];

function compare(was: unknown, is: unknown, at: At, out: Out): void {
  if (was === is || isDeepStrictEqual(was, is)) return;
  const path = at.join(' / ');
  if (was === undefined) out[path] = { added: is };
  else if (is === undefined) out[path] = 'removed';
  else if (Array.isArray(was) && Array.isArray(is)) compareLists(was, is, at, out);
  else if (isObject(was) && isObject(is)) {
    compareNamed(new Map(Object.entries(was)), new Map(Object.entries(is)), at, out);
  } else out[path] = [was, is];
}

function compareNamed(was: ReadonlyMap<string, unknown>, is: ReadonlyMap<string, unknown>, at: At, out: Out): void {
  for (const key of new Set([...was.keys(), ...is.keys()])) compare(was.get(key), is.get(key), [...at, key], out);
}

function compareLists(was: readonly unknown[], is: readonly unknown[], at: At, out: Out): void {
  const [named, now] = [byName(was), byName(is)];
  if (named !== undefined && now !== undefined) {
    const order = [named, now].map((names) => [...names.keys()].join(', '));
    if (order[0] !== order[1]) out[`${at.join(' / ')} in order`] = order as [string, string];
    compareNamed(named, now, at, out);
    return;
  }
  if (was.length === is.length) {
    for (const [index, item] of was.entries()) compare(item, is[index], [...at, index], out);
    return;
  }
  for (const [index, item] of was.entries()) {
    if (!is.some((each) => isDeepStrictEqual(each, item))) out[[...at, index].join(' / ')] = 'removed';
  }
  for (const [index, item] of is.entries()) {
    if (!was.some((each) => isDeepStrictEqual(each, item))) out[[...at, index].join(' / ')] = { added: item };
  }
}

/** The elements of a list by their names; undefined when some have none, or the same. */
function byName(list: readonly unknown[]): ReadonlyMap<string, unknown> | undefined {
  const named = new Map<string, unknown>();
  for (const item of list) {
    const { name, clusterName } = isObject(item) ? (item as { name?: unknown; clusterName?: unknown }) : {};
    const key = name ?? clusterName;
    if (typeof key !== 'string' || named.has(key)) return undefined;
    named.set(key, item);
  }
  return named;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
