import type { JsonObject, JsonValue, types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import type { HttpFilter } from '../types.ts';
import type { FilterScope } from './scope.ts';

interface Entry {
  readonly namespace: string;
  readonly value: JsonObject;
  readonly overwrites: boolean;
}

/** Puts fixed values into the dynamic metadata. */
export function setMetadataFilter(
  context: CompileContext,
  config: types.setMetadata.Config,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const overwriteDenied = scope.counter('set_metadata.overwrite_denied');
  const { metadataNamespace, value } = config;
  const merged =
    metadataNamespace === undefined || metadataNamespace === '' || value === undefined
      ? undefined
      : { namespace: metadataNamespace, value };
  const entries = (config.metadata ?? []).flatMap((entry, i) => compileEntry(context, entry, [...path, 'metadata', i]));
  return {
    name: scope.name,
    onRequest(stream) {
      const { info } = stream;
      // The route is chosen by what was known before.
      stream.route();
      // The older fields always add.
      if (merged !== undefined)
        stream.setMetadata(merged.namespace, join(info.dynamicMetadata?.[merged.namespace] ?? {}, merged.value));
      for (const entry of entries)
        if (
          !put(stream.info.dynamicMetadata?.[entry.namespace], entry, (made) =>
            stream.setMetadata(entry.namespace, made),
          )
        )
          overwriteDenied.value++;
      return undefined;
    },
  };
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
