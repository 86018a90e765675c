import type { Refusal } from '@mizzen/control-plane';
import type { Locate } from '@mizzen/api';
import type { Path } from '@mizzen/diagnostics';
import type { Origins, XdsType } from '@mizzen/translator';
import { TypeUrl } from '@mizzen/xds';

/** A proxy's refusal for a person: the field, why, and the line of YAML that it came from. */
export function describeRefusal(refusal: Refusal, origins: Origins | undefined, locate: Locate): string {
  const { field, message } = refusal;
  const text = field === '' ? message : `\`${field}\`: ${message}`;
  const place = refusalOrigin(refusal, origins, locate);
  return place === undefined ? text : `${text} (from ${place.file}:${place.line})`;
}

/** The line of YAML that what was refused came from. */
export function refusalOrigin(
  { typeUrl, resource, field }: Refusal,
  origins: Origins | undefined,
  locate: Locate,
): { readonly file: string; readonly line: number } | undefined {
  const type = xdsTypeOf(typeUrl);
  const origin = type === undefined ? undefined : origins?.find(type, resource, parsePath(field));
  const span = origin === undefined ? undefined : locate(origin.resource, origin.path);
  return span === undefined ? undefined : { file: span.file, line: span.line };
}

export function xdsTypeOf(typeUrl: string): XdsType | undefined {
  return Object.entries(TypeUrl).find(([, url]) => url === typeUrl)?.[0] as XdsType | undefined;
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
