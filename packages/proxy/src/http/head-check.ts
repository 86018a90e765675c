import { isFieldName, isFieldValue } from '../program/headers.ts';
import type { RequestHead } from '../types.ts';

/** What of a head for an upstream would be read as something else there, as Envoy says it; undefined: nothing. */
export function invalidPart({ authority, path, method, headers }: RequestHead): string | undefined {
  if (!isFieldValue(authority)) return 'value for: :authority';
  if (!isFieldValue(path)) return 'value for: :path';
  if (!isFieldValue(method)) return 'value for: :method';
  const { flat } = headers;
  for (let i = 0; i < flat.length; i += 2) {
    if (!isFieldName(flat[i]!)) return `name: ${flat[i]}`;
    if (!isFieldValue(flat[i + 1]!)) return `value for: ${flat[i]}`;
  }
  return undefined;
}
