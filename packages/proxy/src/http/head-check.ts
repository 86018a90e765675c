import { isFieldName, isFieldValue } from '../program/headers.ts';
import type { RequestHead } from '../types.ts';

/** What of a head for an upstream is missing, or would be read as something else there, as Envoy says it; undefined: nothing. */
export function invalidPart({ authority, path, method, headers }: RequestHead): string | undefined {
  if (method === '') return 'missing required header: :method';
  if (path === '' && method !== 'CONNECT') return 'missing required header: :path';
  if (!isFieldValue(authority)) return 'invalid header value for: :authority';
  if (!isFieldValue(path)) return 'invalid header value for: :path';
  if (!isFieldValue(method)) return 'invalid header value for: :method';
  const { flat } = headers;
  for (let i = 0; i < flat.length; i += 2) {
    if (!isFieldName(flat[i]!)) return `invalid header name: ${flat[i]}`;
    if (!isFieldValue(flat[i + 1]!)) return `invalid header value for: ${flat[i]}`;
  }
  return undefined;
}
