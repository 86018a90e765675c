import { hostname } from 'node:os';
import type { JsonObject, JsonValue } from '@mizzen/xds';
import { ExpressionError } from '../cel/ast.ts';
import { compileExpression, type ExpressionOptions } from '../cel/compile.ts';
import { parseExpression } from '../cel/parser.ts';
import { printValue } from '../cel/print.ts';
import type { Deps } from '../deps.ts';
import { filterStateOf, type FilterStateObject } from '../filter-state/state.ts';
import { requestHeader } from '../program/match/header.ts';
import { pathOnly, queryParameter } from '../program/match/query.ts';
import { lookUp } from '../program/match/value.ts';
import { isAscii, wire } from '../program/values.ts';
import type { LogSource } from '../program/types.ts';
import { ResponseFlag, type ConnectionEnds, type ConnectionInfo, type PeerTls } from '../types.ts';
import type { RequestHead, StreamInfo } from '../types.ts';
import { LOCAL_FIELDS, PEER_FIELDS, validity } from './access-log-certificates.ts';
import { coalesce } from './access-log-coalesce.ts';
import { flagNames } from './access-log-flags.ts';
import { grpcStatusName, grpcStatusOf, isGrpc, trailer } from './access-log-grpc.ts';
import {
  attempted,
  BYTES,
  CONFIGURED_METADATA,
  hostName,
  nameOf,
  serverName,
  upstreamPeer,
  withoutPort,
} from './access-log-upstream.ts';
import { shortestDouble, withDoubles } from './double-text.ts';
import { isoTime, timeFormat } from './access-log-time.ts';

/** Undefined: there is none (`-` in text, null in JSON). */
export type OperatorValue = JsonValue | undefined;
export interface Operator {
  (source: LogSource): OperatorValue;
  /** The same within text, where that is not just the value written down. */
  readonly inText?: (source: LogSource) => OperatorValue;
  /** The same within JSON, where its numbers are not just written down. */
  readonly inJson?: (source: LogSource) => OperatorValue;
}

/** What operators may ask for beyond the request. */
export interface OperatorDeps {
  readonly env: (name: string) => string | undefined;
  readonly wall: () => number;
  readonly uuid: () => string;
  readonly routeTimes?: Deps['routeTimes'];
  /** What expressions may do; undefined: what they always may. */
  readonly expressions?: ExpressionOptions | undefined;
}

/** Makes the operator, or says what is wrong with its argument. */
export type OperatorFactory = (
  argument: string | undefined,
  deps: OperatorDeps,
) => Operator | { readonly problem: string };

const info =
  (value: (info: StreamInfo) => OperatorValue): OperatorFactory =>
  (argument) =>
    argument === undefined ? (source) => value(source.info) : { problem: 'takes no argument' };
const ofSource =
  (value: (source: LogSource) => OperatorValue): OperatorFactory =>
  (argument) =>
    argument === undefined ? value : { problem: 'takes no argument' };
const text = (value: (info: StreamInfo) => string | undefined): OperatorFactory =>
  info((i) => {
    const given = value(i);
    return given === '' ? undefined : given;
  });
const since = (
  end: (info: StreamInfo) => number | undefined,
  start: (info: StreamInfo) => number = (i) => i.startTime,
): OperatorFactory =>
  info((i) => {
    const to = end(i);
    const from = start(i);
    return to === undefined || to < 0 || from < 0 ? undefined : Math.round(to - from);
  });
const down = (value: (tls: PeerTls) => string | undefined): OperatorFactory =>
  text((i) => (i.connection.tls === undefined ? undefined : value(i.connection.tls)));
const up = (value: (tls: PeerTls) => string | undefined): OperatorFactory =>
  text((i) => {
    const peer = upstreamPeer(i);
    return peer === undefined ? undefined : value(peer);
  });
const peer =
  (value: (tls: PeerTls) => string | undefined) =>
  (tls: PeerTls): string | undefined =>
    tls.authenticated ? value(tls) : undefined;

function joinPort(address: string, port: number): string {
  return address === '' ? '' : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
function portOf(authority: string): number | undefined {
  const colon = authority.lastIndexOf(':');
  return colon < 0 ? undefined : Number(authority.slice(colon + 1));
}

/** Details are one word in a line; nearly all are one as they are. */
function underscored(details: string): string {
  return details.includes(' ') ? details.replaceAll(' ', '_') : details;
}

/** `NAME?OTHER`: the first header that is there. */
function header(get: (name: string) => (source: LogSource) => string | undefined): OperatorFactory {
  return (argument) => {
    if (argument === undefined || argument === '') return { problem: 'needs the name of a header' };
    const [first = '', second, ...more] = argument.split('?');
    if (more.length > 0) return { problem: 'takes at most two headers' };
    const getFirst = get(first.toLowerCase());
    if (second === undefined) return getFirst;
    const getSecond = get(second.toLowerCase());
    return (source) => getFirst(source) ?? getSecond(source);
  };
}
function requestHeaderOf(name: string): (source: LogSource) => string | undefined {
  if (!name.startsWith(':') && name !== 'host') return (source) => source.request?.headers.get(name);
  const ofHost = name === ':authority' || name === 'host';
  // What stands in the request line is never empty where there is any.
  return (source) => {
    const { request } = source;
    const value = request === undefined ? undefined : requestHeader(request, name);
    return value === '' && !(ofHost && request?.hostIsEmpty === true) ? undefined : value;
  };
}

function responseHeaderOf(name: string): (source: LogSource) => string | undefined {
  if (name === ':status') return ({ response }) => (response === undefined ? undefined : String(response.status));
  return (source) => source.response?.headers.get(name);
}

/** All of a request's parameters as they came. */
const queryParams: OperatorFactory = (argument) => {
  if (argument !== undefined) return { problem: 'takes no argument' };
  return ({ request }) => {
    const at = request?.path.indexOf('?') ?? -1;
    return at < 0 || at === request!.path.length - 1 ? undefined : request!.path.slice(at + 1);
  };
};

/** `NAMESPACE:KEY:KEY…` within metadata. */
function metadata(get: (info: StreamInfo) => Readonly<Record<string, JsonObject>> | undefined): OperatorFactory {
  return (argument) => {
    if (argument === undefined || argument === '') return { problem: 'needs a namespace' };
    const [namespace = '', ...keys] = argument.split(':');
    const value: Operator = (source) => wireValue(lookUp(get(source.info)?.[namespace], keys));
    const written = (source: LogSource): OperatorValue => {
      const given = value(source);
      return given === undefined ? undefined : withDoubles(given, shortestDouble);
    };
    return Object.assign((source: LogSource) => value(source), { inText: written, inJson: written });
  };
}

/** Lines are made of bytes: one character each. */
function wireValue(value: JsonValue | undefined): JsonValue | undefined {
  if (typeof value === 'string') return wire(value);
  if (typeof value !== 'object' || value === null) return value;
  const text = JSON.stringify(value);
  return isAscii(text) ? value : (JSON.parse(wire(text)) as JsonValue);
}
const METADATA_OF: typeof CONFIGURED_METADATA = { ...CONFIGURED_METADATA, DYNAMIC: (i) => i.dynamicMetadata };

/** The value of an expression, as text. */
const cel: OperatorFactory = (argument, deps) => {
  if (argument === undefined || argument === '') return { problem: 'needs an expression' };
  try {
    const evaluate = compileExpression(parseExpression(argument), deps.expressions);
    return (source) => printValue(evaluate(source));
  } catch (error) {
    if (error instanceof ExpressionError) return { problem: `has an expression that ${error.message}` };
    throw error;
  }
};

/** `KEY`, `KEY:PLAIN`, `KEY:TYPED` or `KEY:FIELD:NAME`. */
function filterState(of: (info: StreamInfo, key: string) => FilterStateObject | undefined): OperatorFactory {
  return (argument) => filterStateOperator(of, argument);
}

function filterStateOperator(
  of: (info: StreamInfo, key: string) => FilterStateObject | undefined,
  argument: string | undefined,
): ReturnType<OperatorFactory> {
  const [key = '', style = 'TYPED', field = ''] = (argument ?? '').split(':');
  if (key === '') return { problem: 'needs a key' };
  switch (style) {
    case 'PLAIN':
      return ({ info: i }) => of(i, key)?.text;
    case 'TYPED': {
      const get = ({ info: i }: LogSource): OperatorValue => of(i, key)?.json;
      const inText = (source: LogSource): OperatorValue => {
        const value = get(source);
        return value === undefined ? undefined : JSON.stringify(value);
      };
      return Object.assign(get, { inText });
    }
    case 'FIELD':
      if (field === '') return { problem: 'needs the name of a field' };
      return ({ info: i }) => of(i, key)?.fields?.[field];
    default:
      return { problem: `\`${style}\` is not a style` };
  }
}

const startTime: OperatorFactory = (argument) => {
  if (argument === undefined || argument === '') return (source) => isoTime(source.info.startWall);
  const format = timeFormat(argument);
  return format === undefined
    ? { problem: `\`${argument}\` is not a format of times` }
    : (source) => format(source.info.startWall);
};

const emitTime: OperatorFactory = (argument, deps) => {
  const format = argument === undefined || argument === '' ? isoTime : timeFormat(argument);
  return format === undefined ? { problem: `\`${argument}\` is not a format of times` } : () => format(deps.wall());
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
    return given === undefined ? undefined : pathOnly(given);
  };
};

/** Points in time that COMMON_DURATION is between. */
const POINTS: Readonly<Record<string, (info: StreamInfo) => number | undefined>> = {
  DS_RX_BEG: (i) => i.startTime,
  DS_RX_END: (i) => i.requestEndTime,
  US_TX_BEG: (i) => i.upstreamStartTime,
  US_TX_END: (i) => i.upstreamRequestEndTime,
  US_RX_BEG: (i) => i.upstreamResponseTime,
  DS_TX_END: (i) => (i.protocol === '' ? undefined : i.responseEndTime),
};
const commonDuration: OperatorFactory = (argument) => {
  const [start = '', end = '', precision = 'ms'] = (argument ?? '').split(':');
  const from = POINTS[start];
  const to = POINTS[end];
  const factor = ({ ms: 1, us: 1000, ns: 1_000_000 } as Record<string, number>)[precision];
  if (from === undefined || to === undefined || factor === undefined) return { problem: 'needs START:END:PRECISION' };
  return ({ info: i }) => {
    const a = from(i);
    const b = to(i);
    return a === undefined || b === undefined || a < 0 || b < 0 ? undefined : Math.round((b - a) * factor);
  };
};

const remote = (i: StreamInfo): string =>
  joinPort(i.remoteAddress, i.remoteAddress === i.connection.directRemoteAddress ? i.connection.remotePort : 0);
/** As the socket has them, whatever a PROXY protocol header says. */
const socketEnds = (connection: ConnectionInfo): ConnectionEnds =>
  connection.socketEnds ?? { ...connection, remoteAddress: connection.directRemoteAddress };
const local = (i: StreamInfo): string => joinPort(i.connection.localAddress, i.connection.localPort);

/** The host, once there was a connection to it. */
const connectedTo = (i: StreamInfo): string => (i.upstreamLocalAddress === '' ? '' : i.upstreamHost);

const uuids = new WeakMap<ConnectionInfo, string>();
function connectionUuid({ connection }: StreamInfo, deps: OperatorDeps): string {
  let uuid = uuids.get(connection);
  if (uuid === undefined) uuids.set(connection, (uuid = deps.uuid()));
  return uuid;
}

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

/** One operator for each field, by prefix and name. */
function named(
  prefix: string,
  fields: Readonly<Record<string, (tls: PeerTls) => string | undefined>>,
  make: (value: (tls: PeerTls) => string | undefined) => OperatorFactory,
): Record<string, OperatorFactory> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [prefix + name, make(value)]));
}
function pick<T>(all: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, all[name]!]));
}
const downstreamPeer = ({ connection: { tls } }: StreamInfo): PeerTls | undefined =>
  tls?.authenticated === true ? tls : undefined;

function certificateTime(
  which: 'validFrom' | 'validTo',
  of: (info: StreamInfo) => PeerTls | undefined,
): OperatorFactory {
  return (argument) => {
    const time = validity(which, argument === '' ? undefined : argument);
    if (time === undefined) return { problem: `\`${argument}\` is not a format of times` };
    return (source) => {
      const peer = of(source.info);
      return peer === undefined ? undefined : time(peer);
    };
  };
}

/** Envoy's command operators by name. Trailing `:N` (cut to N characters) is the parser's. */
export const operators: Readonly<Record<string, OperatorFactory>> = {
  START_TIME: startTime,
  START_TIME_LOCAL: startTime,
  EMIT_TIME: emitTime,
  EMIT_TIME_LOCAL: emitTime,
  PROTOCOL: text((i) => i.protocol),
  UPSTREAM_PROTOCOL: text((i) => (i.protocol !== '' && i.upstreamLocalAddress !== '' ? 'HTTP/1.1' : '')),
  RESPONSE_CODE: info((i) => i.responseCode),
  // Where a filter has no configuration there are details, without a word.
  RESPONSE_CODE_DETAILS: info(({ responseCodeDetails: details, responseFlags }) =>
    details === '' && (responseFlags & ResponseFlag.NFCF) === 0 ? undefined : underscored(details),
  ),
  CONNECTION_TERMINATION_DETAILS: text((i) => i.connectionTerminationDetails),
  RESPONSE_FLAGS: info((i) => flagNames(i.responseFlags, false, i.flagOrder) ?? '-'),
  RESPONSE_FLAGS_LONG: info((i) => flagNames(i.responseFlags, true, i.flagOrder) ?? '-'),
  BYTES_RECEIVED: info((i) => i.bytesReceived),
  BYTES_SENT: info((i) => i.bytesSent),
  REQUEST_HEADERS_BYTES: ofSource(({ request }) =>
    request === undefined ? 0 : fieldBytes(request.headers) + lineBytes(request),
  ),
  RESPONSE_HEADERS_BYTES: ofSource(({ response }) =>
    response === undefined ? 0 : fieldBytes(response.headers) + ':status'.length + 3,
  ),
  RESPONSE_TRAILERS_BYTES: ofSource(({ trailers }) => (trailers ?? []).reduce((sum, part) => sum + part.length, 0)),
  DURATION: since((i) => i.responseEndTime),
  COMMON_DURATION: commonDuration,
  REQUEST_DURATION: since((i) => i.requestEndTime),
  REQUEST_TX_DURATION: since((i) => i.upstreamRequestEndTime ?? (i.upstreamHost === '' ? undefined : i.requestEndTime)),
  RESPONSE_DURATION: since((i) => i.upstreamResponseTime),
  RESPONSE_TX_DURATION: since(
    (i) => i.responseEndTime,
    (i) => i.upstreamResponseTime ?? -1,
  ),
  UPSTREAM_REQUEST_ATTEMPT_COUNT: info((i) => i.attemptCount),
  ROUTE_NAME: text((i) => i.routeName),
  UPSTREAM_HOST: text((i) => i.upstreamHost),
  UPSTREAM_HOST_NAME: text(hostName),
  UPSTREAM_HOST_NAME_WITHOUT_PORT: text((i) => withoutPort(hostName(i))),
  UPSTREAM_HOSTS_ATTEMPTED: text((i) => attempted(i, (host) => host.authority)),
  UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT: text((i) => attempted(i, (host) => withoutPort(host.authority))),
  UPSTREAM_HOST_NAMES_ATTEMPTED: text((i) => attempted(i, nameOf)),
  UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT: text((i) => attempted(i, (host) => withoutPort(nameOf(host)))),
  UPSTREAM_CONNECTION_IDS_ATTEMPTED: text((i) =>
    i.upstreamConnection === undefined ? '' : String(i.upstreamConnection.id),
  ),
  UPSTREAM_CONNECTION_POOL_READY_DURATION: since(
    (i) => i.poolReady,
    (i) => i.poolWaitStart ?? -1,
  ),
  UPSTREAM_SERVER_NAME: text(serverName),
  UPSTREAM_DETECTED_CLOSE_TYPE: ofSource(({ info: i, logType }) =>
    i.upstreamHost === '' && logType?.startsWith('Tcp') !== true
      ? undefined
      : (i.connection.upstreamCloseType ?? 'Normal'),
  ),
  // A request never has one, whatever becomes of its connection.
  UPSTREAM_LOCAL_CLOSE_REASON: text((i) => (i.protocol === '' ? i.connection.upstreamCloseReason : undefined)),
  DOWNSTREAM_LOCAL_CLOSE_REASON: text((i) => (i.protocol === '' ? i.connection.closeReason : undefined)),
  UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID: info((i) => (connectedTo(i) === '' ? undefined : '')),
  DOWNSTREAM_DETECTED_CLOSE_TYPE: text((i) => i.connection.closeType ?? 'Normal'),
  DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID: info(() => ''),
  DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID: info(() => ''),
  CUSTOM_FLAGS: info(() => ''),
  VIRTUAL_CLUSTER_NAME: text((i) => i.virtualClusterName),
  ...Object.fromEntries(Object.entries(BYTES).map(([name, count]) => [name, info(count)])),
  CLUSTER_METADATA: metadata(CONFIGURED_METADATA['CLUSTER']!),
  UPSTREAM_METADATA: metadata(CONFIGURED_METADATA['UPSTREAM_HOST']!),
  UPSTREAM_CLUSTER: text((i) => i.upstreamClusterAltName ?? i.upstreamCluster),
  UPSTREAM_CLUSTER_RAW: text((i) => i.upstreamCluster),
  UPSTREAM_LOCAL_ADDRESS: text((i) => i.upstreamLocalAddress),
  UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: text((i) => withoutPort(i.upstreamLocalAddress)),
  UPSTREAM_LOCAL_PORT: info((i) => portOf(i.upstreamLocalAddress)),
  UPSTREAM_REMOTE_ADDRESS: text(connectedTo),
  UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: text((i) => withoutPort(connectedTo(i))),
  UPSTREAM_REMOTE_PORT: info((i) => portOf(connectedTo(i))),
  UPSTREAM_TRANSPORT_FAILURE_REASON: text((i) => i.upstreamFailureReason.replaceAll(' ', '_')),
  UPSTREAM_TLS_VERSION: up((t) => t.version),
  UPSTREAM_TLS_CIPHER: up((t) => t.cipher),
  UPSTREAM_TLS_GROUP: up((t) => t.session?.group),
  UPSTREAM_TLS_SESSION_ID: up((t) => t.session?.id),
  ...named('UPSTREAM_LOCAL_', pick(LOCAL_FIELDS, ['URI_SAN', 'DNS_SAN', 'IP_SAN']), up),
  ...named('UPSTREAM_PEER_', pick(PEER_FIELDS, ['URI_SAN', 'DNS_SAN', 'IP_SAN', 'SUBJECT', 'ISSUER', 'CERT']), up),
  UPSTREAM_PEER_CERT_V_START: certificateTime('validFrom', upstreamPeer),
  UPSTREAM_PEER_CERT_V_END: certificateTime('validTo', upstreamPeer),
  DOWNSTREAM_TRANSPORT_FAILURE_REASON: text((i) => i.downstreamTransportFailureReason?.replaceAll(' ', '_')),
  DOWNSTREAM_REMOTE_ADDRESS: text(remote),
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: text((i) => i.remoteAddress),
  DOWNSTREAM_REMOTE_PORT: info((i) => portOf(remote(i))),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: text(({ connection }) => {
    const { remoteAddress, remotePort } = socketEnds(connection);
    return joinPort(remoteAddress, remotePort);
  }),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: text((i) => socketEnds(i.connection).remoteAddress),
  DOWNSTREAM_DIRECT_REMOTE_PORT: info((i) => socketEnds(i.connection).remotePort),
  DOWNSTREAM_LOCAL_ADDRESS: text(local),
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: text((i) => i.connection.localAddress),
  DOWNSTREAM_LOCAL_PORT: info((i) => i.connection.localPort),
  DOWNSTREAM_DIRECT_LOCAL_ADDRESS: text(({ connection }) => {
    const { localAddress, localPort } = socketEnds(connection);
    return joinPort(localAddress, localPort);
  }),
  DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT: text((i) => socketEnds(i.connection).localAddress),
  DOWNSTREAM_DIRECT_LOCAL_PORT: info((i) => socketEnds(i.connection).localPort),
  ...named('DOWNSTREAM_LOCAL_', LOCAL_FIELDS, down),
  ...named('DOWNSTREAM_PEER_', PEER_FIELDS, (value) => down(peer(value))),
  DOWNSTREAM_PEER_CERT_V_START: certificateTime('validFrom', downstreamPeer),
  DOWNSTREAM_PEER_CERT_V_END: certificateTime('validTo', downstreamPeer),
  TLS_JA3_FINGERPRINT: text((i) => i.connection.ja3),
  TLS_JA4_FINGERPRINT: text((i) => i.connection.ja4),
  DOWNSTREAM_TLS_VERSION: down((t) => t.version),
  DOWNSTREAM_TLS_CIPHER: down((t) => t.cipher),
  DOWNSTREAM_TLS_GROUP: down((t) => t.session?.group),
  DOWNSTREAM_TLS_SESSION_ID: down((t) => t.session?.id),
  // From the start of the request: it is negative where the connection was there before. Only HTTP knows it.
  DOWNSTREAM_HANDSHAKE_DURATION: info((i) => {
    const end = i.connection.tls?.handshakeEnd ?? -1;
    return end < 0 || i.protocol === '' ? undefined : Math.trunc(end - i.startTime);
  }),
  REQUESTED_SERVER_NAME: (argument) =>
    argument === undefined || argument === '' || argument.startsWith('SNI')
      ? (source) =>
          source.info.connection.requestedServerName === '' ? undefined : source.info.connection.requestedServerName
      : { problem: `\`${argument}\` is not supported` },
  CONNECTION_ID: info((i) => i.connection.id),
  FILTER_CHAIN_NAME: text((i) => i.filterChainName ?? i.connection.filterChainName),
  // Only formats of local replies know it.
  LOCAL_REPLY_BODY: info((i) => i.localReplyBody ?? ''),
  HOSTNAME: (argument) => (argument === undefined ? () => hostname() : { problem: 'takes no argument' }),
  ACCESS_LOG_TYPE: (argument) =>
    argument === undefined ? (source) => source.logType ?? 'DownstreamEnd' : { problem: 'takes no argument' },
  UNIQUE_ID: (argument, deps) => (argument === undefined ? () => deps.uuid() : { problem: 'takes no argument' }),
  STREAM_ID: (argument, deps) =>
    argument === undefined
      ? (source) =>
          source.request === undefined ? connectionUuid(source.info, deps) : source.request.headers.get('x-request-id')
      : { problem: 'takes no argument' },
  TRACE_ID: ofSource(({ tracing }) => (tracing?.ids?.keepsId === 'both' ? undefined : tracing?.ids?.traceId)),
  SPAN_ID: ofSource(({ tracing }) => (tracing?.ids?.keepsId === undefined ? tracing?.ids?.spanId : undefined)),
  ROUTE_RESOLUTION_TIME_US: (argument, deps) => {
    if (argument !== undefined) return { problem: 'takes no argument' };
    if (deps.routeTimes !== undefined) deps.routeTimes.measured = true;
    return ({ info: { protocol, routeResolutionTime: time = 0 } }) =>
      protocol === '' ? undefined : Math.floor(time * 1000);
  },
  ENVIRONMENT: (argument, deps) => {
    if (argument === undefined || argument === '') return { problem: 'needs the name of a variable' };
    return () => deps.env(argument) ?? '-';
  },
  REQ: header(requestHeaderOf),
  REQUEST_HEADER: header(requestHeaderOf),
  REQ_WITHOUT_QUERY: header((name) => {
    const get = requestHeaderOf(name);
    return (source) => {
      const value = get(source);
      return value === undefined ? undefined : pathOnly(value);
    };
  }),
  RESP: header(responseHeaderOf),
  RESPONSE_HEADER: header(responseHeaderOf),
  TRAILER: header((name) => (source) => trailer(source, name)),
  RESPONSE_TRAILER: header((name) => (source) => trailer(source, name)),
  QUERY_PARAMS: queryParams,
  QUERY_PARAM: (argument) => {
    if (argument === undefined || argument === '') return { problem: 'needs the name of a parameter' };
    return (source) => (source.request === undefined ? undefined : queryParameter(source.request.path, argument));
  },
  PATH: path,
  GRPC_STATUS: grpcStatus(false),
  GRPC_STATUS_NUMBER: grpcStatus(true),
  DYNAMIC_METADATA: metadata((i) => i.dynamicMetadata),
  CEL: cel,
  COALESCE: coalesce((name) => (Object.hasOwn(operators, name) ? operators[name] : undefined)),
  FILTER_STATE: filterState(filterStateOf),
  UPSTREAM_FILTER_STATE: filterState((i, key) => i.upstreamConnection?.filterState?.get(key)),
  METADATA: (argument, deps) => {
    const [of = '', ...rest] = (argument ?? '').split(':');
    const get = METADATA_OF[of];
    return get === undefined ? { problem: `\`${of}\` has no metadata here` } : metadata(get)(rest.join(':'), deps);
  },
};
