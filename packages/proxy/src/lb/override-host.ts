import type { JsonValue } from '@mizzen/xds';
import type { OverrideSource } from '../program/types.ts';
import type { LbContext } from '../types.ts';
import type { Picker } from './picker.ts';
import type { BalancedHost } from './types.ts';

/**
 * Hosts that requests name, by `address:port`, one for each attempt; others are chosen as if nobody had been named. Health
 * is the business of whoever names them.
 */
export function overridePicker(
  sources: readonly OverrideSource[],
  hosts: ReadonlyMap<string, BalancedHost>,
  fallback: Picker,
): Picker {
  /** What is left of the names of a request. */
  const left = new WeakMap<object, string[]>();
  const named = (context: LbContext): BalancedHost | undefined => {
    const request = context.stream?.info;
    if (request === undefined) return undefined;
    let names = left.get(request);
    if (names === undefined) left.set(request, (names = namesIn(context, sources)));
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const host = hosts.get(name);
      if (host !== undefined) return host;
    }
    return undefined;
  };
  return {
    pick: (context) => named(context) ?? fallback.pick(context),
    pickAt: (level, context) => named(context) ?? fallback.pickAt(level, context),
  };
}

/** The first source that has anything. */
function namesIn({ stream }: LbContext, sources: readonly OverrideSource[]): string[] {
  for (const source of sources) {
    const text =
      source.header === undefined
        ? metadataText(stream?.info.dynamicMetadata, source.metadata)
        : stream?.request?.headers.get(source.header);
    if (text !== undefined && text !== '') return text.split(',').map((name) => name.trim());
  }
  return [];
}

function metadataText(
  metadata: Readonly<Record<string, JsonValue>> | undefined,
  path: readonly string[],
): string | undefined {
  let value: JsonValue | undefined = metadata;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    value = (value as Readonly<Record<string, JsonValue>>)[key];
  }
  return typeof value === 'string' ? value : undefined;
}
