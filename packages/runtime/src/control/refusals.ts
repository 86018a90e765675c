import type { Refusal } from '@mizzen/control-plane';
import type { Locate } from '@mizzen/api';
import type { Path } from '@mizzen/diagnostics';
import type { Origins, XdsType } from '@mizzen/translator';
import { TypeUrl } from '@mizzen/xds';

/** A proxy's refusal for a person: the field, why, and the line of YAML that it came from. */
export function describeRefusal(refusal: Refusal, origins: Origins | undefined, locate: Locate): string {
  const { typeUrl, resource, field, message } = refusal;
  const text = field === '' ? message : `\`${field}\`: ${message}`;
  const type = Object.entries(TypeUrl).find(([, url]) => url === typeUrl)?.[0] as XdsType | undefined;
  const origin = type === undefined ? undefined : origins?.find(type, resource, parsePath(field));
  const span = origin === undefined ? undefined : locate(origin.resource, origin.path);
  return span === undefined ? text : `${text} (from ${span.file}:${span.line})`;
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
