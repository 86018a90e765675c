import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import { requestHeader } from '../../program/match/header.ts';
import { lookUp } from '../../program/match/value.ts';
import type { Path } from '../../program/path.ts';
import type { LogSource } from '../../program/types.ts';
import { asciiLower, wire } from '../../program/values.ts';
import { parseFormat, textFormatter } from '../access-log-format.ts';
import { sortedJson } from '../value-text.ts';
import { CONFIGURED_METADATA } from '../access-log-upstream.ts';

/** One custom tag; its value is as on the wire, and there is none where it is empty. */
export interface Tag {
  readonly name: string;
  readonly value: (source: LogSource) => string | undefined;
}

export function compileTags(
  context: CompileContext,
  tags: readonly types.tracing.CustomTag[] | undefined,
  path: Path,
): readonly Tag[] {
  return (tags ?? []).map((tag, i) => {
    if (tag.tag === undefined || tag.tag === '') context.refuse([...path, i, 'tag'], 'must not be empty');
    return { name: tag.tag ?? '', value: valueOf(context, tag, [...path, i]) };
  });
}

function valueOf(context: CompileContext, tag: types.tracing.CustomTag, path: Path): Tag['value'] {
  if (tag.literal !== undefined) {
    const { value = '' } = tag.literal;
    if (value === '') context.refuse([...path, 'literal', 'value'], 'must not be empty');
    return () => wire(value);
  }
  if (tag.environment !== undefined) {
    const { name = '', defaultValue = '' } = tag.environment;
    if (name === '') context.refuse([...path, 'environment', 'name'], 'must not be empty');
    const value = wire(context.deps.env(name) ?? defaultValue);
    return () => value;
  }
  if (tag.requestHeader !== undefined) return header(context, tag.requestHeader, path);
  if (tag.metadata !== undefined) return metadata(context, tag.metadata, [...path, 'metadata']);
  if (tag.value !== undefined) return formatted(context, tag.value, [...path, 'value']);
  context.refuse(path, 'must have a value');
  return () => undefined;
}

function formatted(context: CompileContext, format: string, path: Path): Tag['value'] {
  const { clock, random, env } = context.deps;
  const parsed = parseFormat(format, { env, wall: () => clock.wall(), uuid: () => random.uuid() });
  if (!('problem' in parsed)) return textFormatter(parsed, '');
  context.refuse(path, parsed.problem);
  return () => undefined;
}

function header(context: CompileContext, config: types.tracing.CustomTag_Header, path: Path): Tag['value'] {
  const { name = '', defaultValue = '' } = config;
  if (name === '') context.refuse([...path, 'requestHeader', 'name'], 'must not be empty');
  const [key, absent] = [asciiLower(name), wire(defaultValue)];
  if (key.startsWith(':')) return ({ request }) => (request && requestHeader(request, key)) ?? absent;
  return ({ request }) => {
    if (request === undefined) return absent;
    const { flat } = request.headers;
    // Of one that is repeated, the first counts.
    for (let i = 0; i < flat.length; i += 2) if (flat[i] === key) return flat[i + 1];
    return absent;
  };
}

const KINDS = { request: 'DYNAMIC', route: 'ROUTE', cluster: 'CLUSTER', host: 'UPSTREAM_HOST' } as const;

function metadata(context: CompileContext, config: types.tracing.CustomTag_Metadata, path: Path): Tag['value'] {
  const kind = (Object.keys(KINDS) as (keyof typeof KINDS)[]).find((name) => config.kind?.[name] !== undefined);
  const { key = '', path: segments = [] } = config.metadataKey ?? {};
  if (kind === undefined) {
    context.refuse([...path, 'kind'], 'must be there');
    return () => undefined;
  }
  const keys = segments.map((segment) => segment.key ?? '');
  const absent = wire(config.defaultValue ?? '');
  const get = CONFIGURED_METADATA[KINDS[kind]];
  return ({ info }) => {
    const value = lookUp((get === undefined ? info.dynamicMetadata : get(info))?.[key], keys);
    if (value === undefined || value === null) return absent;
    if (typeof value === 'object') return wire(sortedJson(value));
    return wire(String(value));
  };
}
