import type { JsonObject, JsonValue, types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import type { Counter } from '../program/types.ts';
import type { HttpFilter, HttpStream } from '../types.ts';
import { PerRouteKind } from './per-route-kind.ts';
import type { FilterScope } from './scope.ts';

interface Entry {
  readonly namespace: string;
  readonly value: JsonObject;
  readonly overwrites: boolean;
}

interface Values {
  /** In the older fields, which always add. */
  readonly older: { readonly namespace: string; readonly value: JsonObject } | undefined;
  readonly entries: readonly Entry[];
  readonly denied: Counter;
}

function compileValues(context: CompileContext, config: types.setMetadata.Config, path: Path, denied: Counter): Values {
  const { metadataNamespace: namespace = '', value, metadata = [] } = config;
  return {
    older: namespace === '' || value === undefined ? undefined : { namespace, value },
    entries: metadata.flatMap((entry, i) => compileEntry(context, entry, [...path, 'metadata', i])),
    denied,
  };
}
export const setMetadataPerRoute = new PerRouteKind((context, config: types.setMetadata.Config, path) =>
  compileValues(context, config, path, context.deps.counter('set_metadata.overwrite_denied')),
);

/** Puts fixed values into the dynamic metadata: its own, then the route's. */
export function setMetadataFilter(
  context: CompileContext,
  config: types.setMetadata.Config,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const own = compileValues(context, config, path, scope.counter('set_metadata.overwrite_denied'));
  return {
    name: scope.name,
    onRequest(stream) {
      // The route is chosen by what was known before.
      const ofRoute = setMetadataPerRoute.mostSpecific(stream, scope.name);
      putAll(own, stream);
      if (ofRoute !== undefined) putAll(ofRoute, stream);
      return undefined;
    },
  };
}

function putAll({ older, entries, denied }: Values, stream: HttpStream): void {
  const { info } = stream;
  if (older !== undefined)
    stream.setMetadata(older.namespace, join(info.dynamicMetadata?.[older.namespace] ?? {}, older.value));
  for (const entry of entries)
    if (!put(info.dynamicMetadata?.[entry.namespace], entry, (made) => stream.setMetadata(entry.namespace, made)))
      denied.value++;
}

function compileEntry(context: CompileContext, entry: types.setMetadata.Metadata, path: Path): Entry[] {
  const { metadataNamespace: namespace = '', value } = entry;
  if (namespace === '') context.refuse([...path, 'metadataNamespace'], 'must not be empty');
  if (entry.typedValue !== undefined) context.refuse([...path, 'typedValue'], 'typed metadata is not supported');
  return value === undefined ? [] : [{ namespace, value, overwrites: entry.allowOverwrite === true }];
}

function put(old: JsonObject | undefined, entry: Entry, set: (value: JsonObject) => void): boolean {
  if (old === undefined) set(entry.value);
  else if (entry.overwrites) set(join(old, entry.value));
  else return false;
  return true;
}

/** Objects are joined key by key, lists one after the other; other values are replaced. */
function join(old: JsonObject, added: JsonObject): JsonObject {
  const all: Record<string, JsonValue | undefined> = { ...old };
  for (const [key, value] of Object.entries(added)) {
    const before = Object.hasOwn(all, key) ? all[key] : undefined;
    all[key] =
      isObject(before) && isObject(value)
        ? join(before, value)
        : Array.isArray(before) && Array.isArray(value)
          ? [...(before as readonly JsonValue[]), ...(value as readonly JsonValue[])]
          : value;
  }
  return all as JsonObject;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
