import type { Refusal } from '@mizzen/control-plane';
import type { Locate } from '@mizzen/api';
import type { Path } from '@mizzen/diagnostics';
import type { Origin, Origins, XdsType } from '@mizzen/translator';
import { TypeUrl } from '@mizzen/xds';
import { isDeepStrictEqual } from 'node:util';

/** What is known of the resources that a proxy was sent. */
export interface Evidence {
  readonly origins: Origins | undefined;
  /** Where the refused resource first differs from the one before it: Envoy seldom says which field it means. */
  readonly changed?: Path | undefined;
  /** Where the resource has what the message quotes. */
  readonly quoted?: readonly Path[];
}

/** A proxy's refusal for a person: the field, why, and the line of YAML that it came from. */
export function describeRefusal(refusal: Refusal, evidence: Evidence, locate: Locate): string {
  const { field, message } = refusal;
  const text = field === '' ? message : `\`${field}\`: ${message}`;
  const place = refusalOrigin(refusal, evidence, locate);
  return place === undefined ? text : `${text} (from ${place.file}:${place.line})`;
}

/** The line of YAML that what was refused came from. */
export function refusalOrigin(
  refusal: Refusal,
  { origins, changed, quoted = [] }: Evidence,
  locate: Locate,
): { readonly file: string; readonly line: number } | undefined {
  const type = xdsTypeOf(refusal.typeUrl);
  const origin =
    type === undefined || origins === undefined ? undefined : originOf(type, refusal, { origins, changed, quoted });
  const span = origin === undefined ? undefined : locate(origin.resource, origin.path);
  return span === undefined ? undefined : { file: span.file, line: span.line };
}

export function xdsTypeOf(typeUrl: string): XdsType | undefined {
  return Object.entries(TypeUrl).find(([, url]) => url === typeUrl)?.[0] as XdsType | undefined;
}

function originOf(
  type: XdsType,
  { resource, field }: Refusal,
  { origins, changed, quoted }: { origins: Origins; changed: Path | undefined; quoted: readonly Path[] },
): Origin | undefined {
  const named = field === '' ? undefined : origins.find(type, resource, parsePath(field));
  if (named !== undefined) return named;
  const said = quoted.map((path) => around(origins, type, resource, path));
  if (said[0] !== undefined && said.every((each) => isDeepStrictEqual(each, said[0]))) return said[0];
  const first = around(origins, type, resource, changed ?? []);
  if (first !== undefined) return first;
  const whole = origins.find(type, resource, []);
  if (whole !== undefined) return whole;
  const all = origins.within(type, resource, []);
  return all.every((each) => isDeepStrictEqual(each.resource, all[0]?.resource)) ? all[0] : undefined;
}

/** From a place outwards: what it holds, then what holds it. The resource as a whole does not count. */
function around(origins: Origins, type: XdsType, resource: string, place: Path): Origin | undefined {
  for (let path = place; path.length > 0; path = path.slice(0, -1)) {
    const [first] = origins.within(type, resource, path);
    if (first !== undefined) return first;
  }
  return undefined;
}

/** The way to the first difference between two values; undefined when there is none. */
export function firstDifference(a: unknown, b: unknown): Path | undefined {
  if (a === b) return undefined;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return [];
  const [before, after] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  for (const key of new Set([...after.keys(), ...before.keys()])) {
    const rest = firstDifference(before.get(key), after.get(key));
    if (rest !== undefined) return [Array.isArray(b) ? Number(key) : key, ...rest];
  }
  return undefined;
}

/** The reverse of how a proxy writes a path: `virtualHosts[0].routes[1]["a b"]`. */
export function parsePath(text: string): Path {
  const path: (string | number)[] = [];
  for (const [, name, index, quoted] of text.matchAll(/([^.[\]]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/g)) {
    if (name !== undefined) path.push(name);
    else if (index !== undefined) path.push(Number(index));
    else if (quoted !== undefined) path.push(JSON.parse(quoted) as string);
  }
  return path;
}
