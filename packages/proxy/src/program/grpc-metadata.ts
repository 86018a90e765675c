import type { types } from '@mizzen/xds';
import type { CompileContext } from './context.ts';
import { headerValue } from './headers.ts';
import type { Path } from './path.ts';
import type { LogSource } from './types.ts';

type Given = readonly types.core.HeaderValue[] | undefined;
export type Metadata = readonly (readonly [string, string])[];

/** Of the connection and the request line: nobody could be called with them. */
const OWN = new Set(
  'connection host http2-settings keep-alive proxy-connection te transfer-encoding upgrade'.split(' '),
);

/**
 * `initialMetadata` of the service at `path`, for calls on behalf of a request or connection, which command operators
 * show. Calls that are nobody's carry it as it is written.
 */
export function compileMetadata(context: CompileContext, given: Given, path: Path): (source?: LogSource) => Metadata {
  const made = (given ?? []).map(({ key = '', value = '', rawValue }, i) => {
    const at = [...path, 'initialMetadata', i];
    if (key === '') context.refuse([...at, 'key'], 'must not be empty');
    else if (key.startsWith(':') || OWN.has(key.toLowerCase()))
      context.refuse([...at, 'key'], `\`${key}\` cannot be set`);
    if (rawValue !== undefined) context.refuse([...at, 'rawValue'], 'not supported');
    return { key, value: headerValue(context, value, [...at, 'value']) };
  });
  const written = metadataOf(given);
  if (!(given ?? []).some(({ value = '' }) => value.includes('%'))) return () => written;
  return (source) =>
    source === undefined ? written : metadataOf(made.map(({ key, value }) => ({ key, value: value(source) })));
}

/** Fields that calls carry, as Envoy sends them: of a name the last, none that is empty, and bytes as Base64. */
export function metadataOf(given: Given): Metadata {
  const fields = new Map<string, string>();
  for (const { key = '', value = '' } of given ?? []) {
    const name = key.toLowerCase();
    if (value !== '') fields.set(name, name.endsWith('-bin') ? Buffer.from(value).toString('base64') : value);
  }
  return [...fields];
}
