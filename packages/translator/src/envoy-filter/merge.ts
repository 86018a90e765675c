import { isRecord } from '@mizzen/api';
import type { Origin } from '../types.ts';
import { anyType, messageOf, type Field } from './schema.ts';
import { below, type Tracks } from './tracks.ts';
import { isScalar, isZero } from './value.ts';
import { wrapped } from './scalars.ts';

type Record_ = Readonly<Record<string, unknown>>;

export interface MergeOptions {
  readonly tracks: Tracks;
  /** Where `from` was written. */
  readonly origin: Origin;
  /** Lists take the place of lists instead of being appended to them. */
  readonly replaceLists?: boolean;
}

/**
 * `into` with `from` merged into it, as protobuf merges messages and istiod with it: set scalars win, lists are appended,
 * map entries and Anys are replaced, messages are merged field by field, and setting one field of a `oneof` unsets the
 * others. Two things follow that may surprise: a default is not set (nothing tells it from being absent), and so a
 * wrapped `false` or `0` does not overwrite what is there.
 */
export function merge<T extends object>(into: T, from: object, type: string, options: MergeOptions): T {
  const fields = messageOf(type);
  if (fields === undefined) throw new RangeError(`no message \`${type}\``);
  const out = options.tracks.copied<Record<string, unknown>>(Object.fromEntries(Object.entries(into)), into);
  for (const [key, value] of Object.entries(from)) {
    if (key === '@type') continue;
    const field = fields[key];
    if (field === undefined) throw new RangeError(`\`${type}\` has no field \`${key}\``);
    if (field.o !== undefined) {
      for (const other in out) if (other !== key && fields[other]?.o === field.o) delete out[other];
    }
    setField(out, key, value, field, { ...options, origin: below(options.origin, key) });
  }
  return out as T;
}

function setField(
  out: Record<string, unknown>,
  key: string,
  value: unknown,
  field: Field,
  options: MergeOptions,
): void {
  const { tracks, origin } = options;
  const existing = out[key];
  const set = (merged: unknown): void => {
    out[key] = merged;
    tracks.given(out, key, origin);
  };
  if (existing === undefined) return set(value);
  if (field.r) {
    if (options.replaceLists === true) return set(value);
    const old = existing as readonly unknown[];
    const list = tracks.copied([...old, ...(value as readonly unknown[])], old);
    for (let index = old.length; index < list.length; index++)
      tracks.given(list, index, below(origin, index - old.length));
    out[key] = list;
    return;
  }
  if (field.k !== undefined || field.t === 'google.protobuf.Struct') {
    out[key] = mergeMap(existing as Record_, value as Record_, options);
    return;
  }
  if (isScalar(field.t)) {
    if (wrapped(field.t) === undefined || !isZero(value)) set(value);
    return;
  }
  if (messageOf(field.t) === undefined || !isRecord(existing) || !isRecord(value)) return set(value);
  out[key] = merge(existing, value, field.t, options);
}

function mergeMap(into: Record_, from: Record_, { tracks, origin }: MergeOptions): Record_ {
  const out = tracks.copied({ ...into, ...from }, into);
  for (const key of Object.keys(from)) tracks.given(out, key, below(origin, key));
  return out;
}

interface AnyLike {
  readonly '@type'?: string;
}

/** An Any with another of the same type merged into it; undefined when the types differ, so that nothing can be merged. */
export function mergeAny<T extends AnyLike>(into: T, from: AnyLike, options: MergeOptions): T | undefined {
  const type = anyType(into['@type'] ?? '');
  if (type === '' || type !== anyType(from['@type'] ?? '')) return undefined;
  return messageOf(type) === undefined ? mergeUnread(into, from, options) : merge(into, from, type, options);
}

/** The same for messages that only other builds of Envoy know, by what their JSON looks like. */
function mergeUnread<T extends object>(into: T, from: object, options: MergeOptions): T {
  const { tracks, origin } = options;
  const out = tracks.copied<Record<string, unknown>>(Object.fromEntries(Object.entries(into)), into);
  for (const [key, value] of Object.entries(from)) {
    if (key === '@type') continue;
    const existing = out[key];
    const within = { tracks, origin: below(origin, key) };
    if (isRecord(existing) && isRecord(value)) out[key] = mergeUnread(existing, value, within);
    else {
      out[key] = Array.isArray(existing) && Array.isArray(value) ? [...existing, ...value] : value;
      tracks.given(out, key, within.origin);
    }
  }
  return out as T;
}
