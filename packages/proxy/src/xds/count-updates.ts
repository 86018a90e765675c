import type { Nack } from '../types.ts';
import type { ResourceRecords } from './records.ts';
import type { XdsObserver, XdsUpdate } from './source.ts';

/** Kinds of which all there are is followed: one subscription. */
const WHOLE: ReadonlySet<string> = new Set(['cluster', 'listener']);

/** Counts what becomes of the subscriptions of a kind besides their updates. */
export function observerOf(kind: string, records: ResourceRecords): XdsObserver {
  return {
    asked: (names) => {
      for (const name of names) records.asked(kind, name);
    },
    failed: (names) => {
      for (const name of names) records.unsuccessful(kind, name, 'update_failure');
    },
    refused: (names) => {
      for (const name of names) records.unsuccessful(kind, name, 'update_rejected');
    },
    served: (names, by) => {
      for (const name of names) records.subscription(kind, name).controlPlane = by;
    },
  };
}

/**
 * What Envoy counts of an answer: once where all there are is followed, and for each name otherwise. Where something of it
 * was refused, what it says again does not count as taken.
 */
export function countUpdate(
  kind: string,
  records: ResourceRecords,
  update: XdsUpdate,
  nacks: readonly Nack[],
  changed: ReadonlySet<string>,
): void {
  if (update.own === true) return;
  if (WHOLE.has(kind)) countWhole(kind, records, update, nacks, changed);
  else countNamed(kind, records, update, nacks, changed);
}

function countWhole(
  kind: string,
  records: ResourceRecords,
  { resources, version = resources.at(-1)?.version ?? '', removed, late, without, fromText = false }: XdsUpdate,
  nacks: readonly Nack[],
  changed: ReadonlySet<string>,
): void {
  if (changed.size > 0) records.applied(kind, version);
  if (late === true) return records.unsuccessful(kind, '*', 'init_fetch_timeout');
  if (without?.get('*') === 'failed') return records.unsuccessful(kind, '*', 'update_failure');
  if (nacks.length > 0 || without !== undefined) return records.unsuccessful(kind, '*', howRefused(nacks, fromText));
  // What is merely taken away reloads nothing, as Envoy counts it.
  const gone = new Set(removed);
  records.succeeded(
    kind,
    '*',
    version,
    [...changed].some((name) => !gone.has(name)),
  );
}

/** A file that cannot be read as what it should be is a failure, as if it were not there. */
function howRefused(nacks: readonly Nack[], fromText: boolean): 'update_failure' | 'update_rejected' {
  return fromText && nacks.some(({ unreadable }) => unreadable === true) ? 'update_failure' : 'update_rejected';
}

function countNamed(
  kind: string,
  records: ResourceRecords,
  { resources, version, removed, late, without, fromText = false }: XdsUpdate,
  nacks: readonly Nack[],
  changed: ReadonlySet<string>,
): void {
  const refused = new Set(nacks.map(({ resource }) => resource));
  for (const resource of resources) {
    if (resource.static === true) continue;
    const { name } = resource;
    if (refused.has(name)) records.unsuccessful(kind, name, howRefused(nacks, fromText));
    else if (refused.size === 0 || changed.has(name))
      records.succeeded(kind, name, version ?? resource.version, changed.has(name));
  }
  const empty = (name: string): void => {
    records.succeeded(kind, name, version ?? '', false);
    records.subscription(kind, name).empty++;
  };
  for (const name of removed) {
    if (late === true) records.unsuccessful(kind, name, 'init_fetch_timeout');
    else if (kind === 'endpoint') empty(name);
    else records.succeeded(kind, name, version ?? '', false);
  }
  for (const [name, why] of without ?? []) {
    if (why === 'empty') empty(name);
    else records.unsuccessful(kind, name, why === 'failed' ? 'update_failure' : 'update_rejected');
  }
}
