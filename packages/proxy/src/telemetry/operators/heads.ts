import { interned } from '../../codec/names.ts';
import { decodedParameter, unescapeQuery } from '../../program/match/query.ts';
import type { LogSource } from '../../program/types.ts';
import type { RequestHead } from '../../types.ts';
import { grpcStatusName, grpcStatusOf, isGrpc, trailer } from '../access-log-grpc.ts';
import { ofSource, unlessEmpty, type OperatorFactory } from './operator.ts';

/** Of a header, or of what the request line says; one of two may be missing. */
const NAME = /^(:?[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?$/;

/** `NAME?OTHER`: the first header that is there. */
function header(get: (name: string) => (source: LogSource) => string | undefined): OperatorFactory {
  return (argument) => {
    if (argument === undefined || argument === '') return { problem: 'needs the name of a header' };
    const [first = '', second, ...more] = argument.split('?');
    if (more.length > 0) return { problem: 'takes at most two headers' };
    if (!NAME.test(first) || !NAME.test(second ?? '')) return { problem: `\`${argument}\` is no name of a header` };
    const getFirst = get(interned(first.toLowerCase()));
    if (second === undefined) return getFirst;
    const getSecond = get(interned(second.toLowerCase()));
    return (source) => getFirst(source) ?? getSecond(source);
  };
}
/** What stands in the request line is never empty where there is any. */
function requestHeaderOf(name: string): (source: LogSource) => string | undefined {
  switch (name) {
    case ':method':
      return ({ request }) => unlessEmpty(request?.method);
    case ':path':
      return ({ request }) => unlessEmpty(request?.path);
    case ':scheme':
      return ({ request }) => unlessEmpty(request?.scheme);
    case ':authority':
    case 'host':
      return ({ request }) => (request?.hostIsEmpty === true ? request.authority : unlessEmpty(request?.authority));
    default:
      return name.startsWith(':') ? () => undefined : ({ request }) => request?.headers.get(name);
  }
}

function responseHeaderOf(name: string): (source: LogSource) => string | undefined {
  if (name === ':status') return ({ response }) => (response === undefined ? undefined : String(response.status));
  return (source) => source.response?.headers.get(name);
}

/** All of a request's parameters, as they came or without percent escapes. */
const queryParams: OperatorFactory = (argument = 'ORIG') => {
  if (argument !== 'ORIG' && argument !== 'DECODED') return { problem: 'says `ORIG` or `DECODED`' };
  return ({ request }) => {
    const at = request?.path.indexOf('?') ?? -1;
    if (at < 0) return undefined;
    const given = request!.path.slice(at + 1);
    return argument === 'ORIG' ? given : unescapeQuery(given);
  };
};

function grpcStatus(number: boolean): OperatorFactory {
  return (argument) => {
    const style = argument ?? 'CAMEL_STRING';
    if (!['CAMEL_STRING', 'SNAKE_STRING', 'NUMBER'].includes(style)) return { problem: `\`${style}\` is not a style` };
    return (source) => {
      if (!isGrpc(source.request?.headers.get('content-type'))) return undefined;
      const status = grpcStatusOf(source);
      if (status === undefined || number || style === 'NUMBER') return status;
      return grpcStatusName(status, style === 'SNAKE_STRING');
    };
  };
}
const path: OperatorFactory = (argument) => {
  const [query = 'WQ', which = 'ORIG_OR_PATH'] = (argument ?? '')
    .split(':')
    .map((part, i) => (part === '' ? ['WQ', 'ORIG_OR_PATH'][i] : part));
  if (query !== 'WQ' && query !== 'NQ') return { problem: 'says `WQ` or `NQ` first' };
  const original = requestHeaderOf('x-envoy-original-path');
  const current = requestHeaderOf(':path');
  const pick: Record<string, (s: LogSource) => string | undefined> = {
    PATH: current,
    ORIG: original,
    ORIG_OR_PATH: (s) => original(s) ?? current(s),
  };
  const get = pick[which];
  if (get === undefined) return { problem: 'says `ORIG`, `PATH` or `ORIG_OR_PATH` second' };
  if (query === 'WQ') return get;
  return (source) => {
    const given = get(source);
    return given === undefined ? undefined : given.replace(/\?.*$/s, '');
  };
};

/** Names and values, as Envoy counts them: without what separates them on the wire. */
function fieldBytes({ flat }: { readonly flat: readonly string[] }): number {
  let bytes = 0;
  for (const part of flat) bytes += part.length;
  return bytes;
}
/** What the request line says counts as fields, too. */
function lineBytes({ method, path, authority, scheme, hostIsEmpty }: RequestHead): number {
  const of = (name: string, value: string): number => (value === '' ? 0 : name.length + value.length);
  const host = hostIsEmpty === true ? ':authority'.length : of(':authority', authority);
  return of(':method', method) + of(':path', path) + host + of(':scheme', scheme);
}

const withoutQuery = header((name) => {
  const get = requestHeaderOf(name);
  return (source) => {
    const value = get(source);
    const question = value?.indexOf('?') ?? -1;
    return question < 0 ? value : value!.slice(0, question);
  };
});

/** What heads and trailers say. */
export const HEAD_OPERATORS: Readonly<Record<string, OperatorFactory>> = {
  REQUEST_HEADERS_BYTES: ofSource(({ request }) =>
    request === undefined ? 0 : fieldBytes(request.headers) + lineBytes(request),
  ),
  RESPONSE_HEADERS_BYTES: ofSource(({ response }) =>
    response === undefined ? 0 : fieldBytes(response.headers) + ':status'.length + 3,
  ),
  RESPONSE_TRAILERS_BYTES: ofSource(({ trailers }) => (trailers ?? []).reduce((sum, part) => sum + part.length, 0)),
  REQ: header(requestHeaderOf),
  REQUEST_HEADER: header(requestHeaderOf),
  REQ_WITHOUT_QUERY: (argument, deps) =>
    deps.withoutQuery === true ? withoutQuery(argument, deps) : { problem: 'is there with its formatter only' },
  RESP: header(responseHeaderOf),
  RESPONSE_HEADER: header(responseHeaderOf),
  TRAILER: header((name) => (source) => trailer(source, name)),
  RESPONSE_TRAILER: header((name) => (source) => trailer(source, name)),
  QUERY_PARAMS: queryParams,
  QUERY_PARAM: (argument) => {
    if (argument === undefined || argument === '') return { problem: 'needs the name of a parameter' };
    return (source) => (source.request === undefined ? undefined : decodedParameter(source.request.path, argument));
  },
  PATH: path,
  GRPC_STATUS: grpcStatus(false),
  GRPC_STATUS_NUMBER: grpcStatus(true),
};
