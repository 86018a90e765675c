import type { types } from '@mizzen/xds';
import type { FormatOptions } from '../telemetry/operators/operator.ts';
import type { CompileContext } from '../program/context.ts';
import { headerValue, noteValue } from '../program/headers.ts';
import type { Path } from '../program/path.ts';
import type { LogSource } from '../program/types.ts';
import { wire } from '../program/values.ts';
import type { RequestHead } from '../types.ts';

export type QueryMutations = (request: RequestHead, source: LogSource) => void;
type Parameters = Map<string, string[]>;
type Mutation = (parameters: Parameters, source: LogSource) => void;

/** Changes of query parameters, in the order given; undefined: none. */
export function compileQueryMutations(
  context: CompileContext,
  mutations: readonly types.core.KeyValueMutation[] | undefined,
  path: Path,
  formatOptions: FormatOptions | undefined,
): QueryMutations | undefined {
  if (mutations === undefined || mutations.length === 0) return undefined;
  const all = mutations.flatMap((mutation, i) => compileMutation(context, mutation, [...path, i], formatOptions) ?? []);
  return (request, source) => {
    const parameters = parse(request.path);
    for (const mutate of all) mutate(parameters, source);
    request.path = write(request.path, parameters);
    noteValue(request.headers, request.path);
  };
}

function compileMutation(
  context: CompileContext,
  { append, remove }: types.core.KeyValueMutation,
  path: Path,
  formatOptions: FormatOptions | undefined,
): Mutation | undefined {
  if (remove !== undefined && remove !== '') {
    if (append !== undefined) context.refuse([...path, 'remove'], 'does not go with `append`');
    const name = wire(remove);
    return (parameters) => void parameters.delete(name);
  }
  const entry = append?.record;
  if (entry === undefined) {
    context.refuse(path, 'must say in `append.record` what to add, or what to remove');
    return undefined;
  }
  const { key = '', value } = entry;
  const at = [...path, 'append', 'record'];
  if (key === '') context.refuse([...at, 'key'], 'must not be empty');
  if (typeof value !== 'string') {
    context.refuse([...at, 'value'], 'must be text');
    return undefined;
  }
  const name = wire(key);
  const text = headerValue(context, value, [...at, 'value'], formatOptions);
  const make = (source: LogSource): string => encode(text(source));
  switch (append?.action ?? 'APPEND_IF_EXISTS_OR_ADD') {
    case 'APPEND_IF_EXISTS_OR_ADD':
      return (parameters, source) => {
        const values = parameters.get(name);
        if (values === undefined) parameters.set(name, [make(source)]);
        else values.push(make(source));
      };
    case 'ADD_IF_ABSENT':
      return (parameters, source) => {
        if (!parameters.has(name)) parameters.set(name, [make(source)]);
      };
    case 'OVERWRITE_IF_EXISTS_OR_ADD':
      return (parameters, source) => void parameters.set(name, [make(source)]);
    case 'OVERWRITE_IF_EXISTS':
      return (parameters, source) => {
        if (parameters.has(name)) parameters.set(name, [make(source)]);
      };
  }
}

/** By name, as Envoy reads them: decoded, and never encoded again. */
function parse(path: string): Parameters {
  const parameters: Parameters = new Map();
  const start = path.indexOf('?');
  if (start < 0) return parameters;
  const parts = path.slice(start + 1).split('&');
  if (parts.at(-1) === '') parts.pop();
  for (const part of parts) {
    const equals = part.indexOf('=');
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? '' : decode(part.slice(equals + 1));
    const values = parameters.get(name);
    if (values === undefined) parameters.set(name, [value]);
    else values.push(value);
  }
  return parameters;
}

/** Of what is added. */
function encode(text: string): string {
  return text.replace(
    /[^A-Za-z0-9\-_.*]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

function decode(text: string): string {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** As Envoy does, in the order of their names. */
function write(path: string, parameters: Parameters): string {
  const start = path.indexOf('?');
  const before = start < 0 ? path : path.slice(0, start);
  const names = [...parameters.keys()].sort((a, b) => (a < b ? -1 : 1));
  const pairs = names.flatMap((name) => parameters.get(name)!.map((value) => `${name}=${value}`));
  return pairs.length === 0 ? before : `${before}?${pairs.join('&')}`;
}
