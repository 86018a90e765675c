import type { JsonObject, JsonValue, types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import { wire } from '../values.ts';
import { compileString } from './string.ts';

export interface ValueMatch {
  readonly text: string;
  readonly matches: (value: JsonValue | undefined) => boolean;
}

/** Envoy's ValueMatcher over metadata. Strings in metadata are text; they are compared in their wire form. */
export function compileValue(
  context: CompileContext,
  matcher: types.matcher.ValueMatcher | undefined,
  path: Path,
): ValueMatch {
  if (matcher?.nullMatch !== undefined) return { text: 'is null', matches: (value) => value === null };
  if (matcher?.stringMatch !== undefined) {
    const string = compileString(context, matcher.stringMatch, [...path, 'stringMatch']);
    return { text: string.text, matches: (value) => typeof value === 'string' && string.matches(wire(value)) };
  }
  if (matcher?.boolMatch !== undefined) {
    const wanted = matcher.boolMatch;
    return { text: `is ${wanted}`, matches: (value) => value === wanted };
  }
  if (matcher?.presentMatch !== undefined) {
    // As Envoy has it: what is to be absent never is. `invert` of the matcher is what asks for that.
    if (!matcher.presentMatch) return { text: 'is absent (which never matches)', matches: () => false };
    return { text: 'is present', matches: (value) => value !== undefined };
  }
  if (matcher?.doubleMatch !== undefined) {
    const { exact, range } = matcher.doubleMatch;
    if (range !== undefined) {
      const start = Number(range.start ?? 0);
      const end = Number(range.end ?? 0);
      return {
        text: `is a number from ${start} to below ${end}`,
        matches: (value) => typeof value === 'number' && value >= start && value < end,
      };
    }
    const wanted = Number(exact ?? 0);
    return { text: `is ${wanted}`, matches: (value) => value === wanted };
  }
  if (matcher?.listMatch !== undefined) {
    const item = compileValue(context, matcher.listMatch.oneOf, [...path, 'listMatch', 'oneOf']);
    return {
      text: `has an item that ${item.text}`,
      matches: (value) => Array.isArray(value) && value.some((v) => item.matches(v as JsonValue)),
    };
  }
  if (matcher?.orMatch !== undefined) {
    const items = (matcher.orMatch.valueMatchers ?? []).map((m, i) =>
      compileValue(context, m, [...path, 'orMatch', 'valueMatchers', i]),
    );
    return { text: items.map((m) => m.text).join(' or '), matches: (value) => items.some((m) => m.matches(value)) };
  }
  context.refuse(path, 'must say what to match');
  return { text: 'matches nothing', matches: () => false };
}

export interface MetadataMatch {
  readonly text: string;
  readonly matches: (metadata: Readonly<Record<string, JsonObject>> | undefined) => boolean;
}

export function compileMetadata(
  context: CompileContext,
  matcher: types.matcher.MetadataMatcher,
  path: Path,
): MetadataMatch {
  const filter = matcher.filter ?? '';
  const keys = (matcher.path ?? []).map((segment) => segment.key ?? '');
  if (filter === '') context.refuse([...path, 'filter'], 'must not be empty');
  if (keys.length === 0) context.refuse([...path, 'path'], 'must not be empty');
  const value = compileValue(context, matcher.value, [...path, 'value']);
  const invert = matcher.invert === true;
  return {
    text: `metadata ${filter}[${keys.join('.')}] ${invert ? 'is not one that ' : ''}${value.text}`,
    matches: (metadata) => value.matches(lookUp(metadata?.[filter], keys)) !== invert,
  };
}

/** The value at a path of object keys. */
export function lookUp(from: JsonValue | undefined, keys: readonly string[]): JsonValue | undefined {
  let value = from;
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    value = Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined;
  }
  return value;
}
