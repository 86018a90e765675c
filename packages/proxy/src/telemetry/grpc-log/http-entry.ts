import type { JsonObject } from '@mizzen/xds';
import type { LogSource } from '../../program/types.ts';
import { operators } from '../access-log-operators.ts';
import type { OperatorDeps } from '../operators/operator.ts';
import { count } from './common.ts';
import { utf8 } from './text.ts';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);

/** Bytes of heads, as the operators of text formats count them. */
export class HeaderBytes {
  readonly request: (source: LogSource) => number;
  readonly response: (source: LogSource) => number;

  constructor(deps: OperatorDeps) {
    this.request = operators['REQUEST_HEADERS_BYTES']!(undefined, deps) as (source: LogSource) => number;
    this.response = operators['RESPONSE_HEADERS_BYTES']!(undefined, deps) as (source: LogSource) => number;
  }
}

/** Names in lower case. */
export interface LoggedFields {
  readonly request: readonly string[];
  readonly response: readonly string[];
  readonly trailers: readonly string[];
  readonly bytes: HeaderBytes;
}

/** What an entry says about a request: `envoy.data.accesslog.v3.HTTPAccessLogEntry` without what all have in common. */
export function httpEntry(source: LogSource, fields: LoggedFields): JsonObject {
  const { protocol } = source.info;
  return {
    protocolVersion: protocol === '' ? undefined : protocol.replace('/', '').replace('.', ''),
    request: request(source, fields),
    response: response(source, fields),
  };
}

function request(source: LogSource, { request: names, bytes }: LoggedFields): JsonObject {
  const { info, request: head } = source;
  if (head === undefined || head.method === '') return {};
  const get = (name: string): string | undefined => text(head.headers.get(name));
  return {
    requestMethod: METHODS.has(head.method) ? head.method : undefined,
    scheme: head.scheme || undefined,
    authority: text(head.authority),
    path: text(head.path),
    userAgent: get('user-agent'),
    referer: get('referer'),
    forwardedFor: get('x-forwarded-for'),
    requestId: get('x-request-id'),
    originalPath: get('x-envoy-original-path'),
    requestHeadersBytes: count(bytes.request(source)),
    requestBodyBytes: count(info.bytesReceived),
    requestHeaders: pick(head.headers.flat, names),
    upstreamHeaderBytesSent: count(info.upstreamHeaderBytesSent),
    downstreamHeaderBytesReceived: count(info.headerBytesReceived),
  };
}

function response(source: LogSource, { response: names, trailers, bytes }: LoggedFields): JsonObject {
  const { info, response: head } = source;
  return {
    responseCode: info.responseCode === 0 ? undefined : info.responseCode,
    responseHeadersBytes: count(bytes.response(source)),
    responseBodyBytes: count(info.bytesSent),
    responseHeaders: head === undefined ? undefined : pick(head.headers.flat, names),
    responseTrailers: pick(source.trailers ?? [], trailers),
    responseCodeDetails: info.responseCodeDetails.replaceAll(' ', '_') || undefined,
    upstreamHeaderBytesReceived: count(info.upstreamHeaderBytesReceived),
    downstreamHeaderBytesSent: count(info.headerBytesSent),
  };
}

/** Fields by name, the values of one that is repeated joined; undefined: none of them is there. */
function pick(flat: readonly string[], names: readonly string[]): JsonObject | undefined {
  let found: Record<string, string> | undefined;
  for (const name of names) {
    let value: string | undefined;
    for (let i = 0; i < flat.length; i += 2)
      if (flat[i] === name) value = value === undefined ? flat[i + 1]! : `${value},${flat[i + 1]!}`;
    if (value !== undefined) (found ??= {})[name] = utf8(value);
  }
  return found;
}

function text(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : utf8(value);
}
