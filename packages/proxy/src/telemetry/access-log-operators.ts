import { hostname } from 'node:os';
import type { JsonObject, JsonValue } from '@mizzen/xds';
import { getRequestHeader, responseHeader } from '../program/match/header.ts';
import { pathOnly, queryParameter } from '../program/match/query.ts';
import { lookUp } from '../program/match/value.ts';
import type { LogSource } from '../program/types.ts';
import type { PeerTls, StreamInfo } from '../types.ts';
import { flagNames } from './access-log-flags.ts';
import { grpcStatusName } from './access-log-grpc.ts';
import { isoTime, timeFormat } from './access-log-time.ts';

/** Undefined: there is none (`-` in text, null in JSON). */
export type OperatorValue = JsonValue | undefined;
export type Operator = (source: LogSource) => OperatorValue;

/** What operators may ask for beyond the request. */
export interface OperatorDeps {
  readonly env: (name: string) => string | undefined;
  readonly wall: () => number;
  readonly uuid: () => string;
}

/** Makes the operator, or says what is wrong with its argument. */
type OperatorFactory = (argument: string | undefined, deps: OperatorDeps) => Operator | { readonly problem: string };

const info =
  (value: (info: StreamInfo) => OperatorValue): OperatorFactory =>
  (argument) =>
    argument === undefined ? (source) => value(source.info) : { problem: 'takes no argument' };
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
  text((i) => (i.upstreamTls === undefined ? undefined : value(i.upstreamTls)));
const peer =
  (value: (tls: PeerTls) => string | undefined) =>
  (tls: PeerTls): string | undefined =>
    tls.authenticated ? value(tls) : undefined;

function joinPort(address: string, port: number): string {
  return address === '' ? '' : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(':');
  return colon < 0 ? authority : authority.slice(0, colon);
}
function portOf(authority: string): number | undefined {
  const colon = authority.lastIndexOf(':');
  return colon < 0 ? undefined : Number(authority.slice(colon + 1));
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
  const get = getRequestHeader(name);
  return (source) => (source.request === undefined ? undefined : get(source.request));
}

/** `NAMESPACE:KEY:KEY…` within metadata. */
function metadata(get: (info: StreamInfo) => Readonly<Record<string, JsonObject>> | undefined): OperatorFactory {
  return (argument) => {
    if (argument === undefined || argument === '') return { problem: 'needs a namespace' };
    const [namespace = '', ...keys] = argument.split(':');
    return (source) => lookUp(get(source.info)?.[namespace], keys);
  };
}
const METADATA_OF: Readonly<Record<string, (info: StreamInfo) => Readonly<Record<string, JsonObject>> | undefined>> = {
  DYNAMIC: (i) => i.dynamicMetadata,
  ROUTE: (i) => i.routeMetadata,
};

const startTime: OperatorFactory = (argument) => {
  if (argument === undefined || argument === '') return (source) => isoTime(source.info.startWall);
  const format = timeFormat(argument);
  return format === undefined
    ? { problem: `\`${argument}\` is not a format of times` }
    : (source) => format(source.info.startWall);
};

function grpcStatus(number: boolean): OperatorFactory {
  return (argument) => {
    const style = argument ?? 'CAMEL_STRING';
    if (!['CAMEL_STRING', 'SNAKE_STRING', 'NUMBER'].includes(style)) return { problem: `\`${style}\` is not a style` };
    return (source) => {
      const status = trailer(source, 'grpc-status') ?? source.response?.headers.get('grpc-status');
      if (status === undefined || !/^\d+$/.test(status)) return undefined;
      if (number || style === 'NUMBER') return Number(status);
      return grpcStatusName(Number(status), style === 'SNAKE_STRING');
    };
  };
}
function trailer(source: LogSource, name: string): string | undefined {
  const trailers = source.trailers;
  if (trailers === undefined) return undefined;
  for (let i = 0; i < trailers.length; i += 2) if (trailers[i] === name) return trailers[i + 1];
  return undefined;
}

const path: OperatorFactory = (argument) => {
  const [query = 'WQ', which = 'PATH'] = (argument ?? '')
    .split(':')
    .map((part, i) => (part === '' ? ['WQ', 'PATH'][i] : part));
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
  US_RX_BEG: (i) => i.responseStartTime,
  DS_TX_END: (i) => i.responseEndTime,
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
const local = (i: StreamInfo): string => joinPort(i.connection.localAddress, i.connection.localPort);

/** Envoy's command operators by name. Trailing `:N` (cut to N characters) is the parser's. */
export const operators: Readonly<Record<string, OperatorFactory>> = {
  START_TIME: startTime,
  START_TIME_LOCAL: startTime,
  EMIT_TIME: (argument, deps) => {
    const format = argument === undefined || argument === '' ? isoTime : timeFormat(argument);
    return format === undefined ? { problem: `\`${argument}\` is not a format of times` } : () => format(deps.wall());
  },
  PROTOCOL: text((i) => i.protocol),
  UPSTREAM_PROTOCOL: text((i) => (i.protocol !== '' && i.upstreamHost !== '' ? 'HTTP/1.1' : '')),
  RESPONSE_CODE: info((i) => i.responseCode),
  RESPONSE_CODE_DETAILS: text((i) => i.responseCodeDetails.replaceAll(' ', '_')),
  CONNECTION_TERMINATION_DETAILS: text((i) => i.connectionTerminationDetails),
  RESPONSE_FLAGS: info((i) => flagNames(i.responseFlags, false, i.flagOrder) ?? '-'),
  RESPONSE_FLAGS_LONG: info((i) => flagNames(i.responseFlags, true, i.flagOrder) ?? '-'),
  BYTES_RECEIVED: info((i) => i.bytesReceived),
  BYTES_SENT: info((i) => i.bytesSent),
  REQUEST_HEADERS_BYTES: info((i) => i.requestHeadersBytes ?? 0),
  RESPONSE_HEADERS_BYTES: info((i) => i.responseHeadersBytes ?? 0),
  DURATION: since((i) => i.responseEndTime),
  COMMON_DURATION: commonDuration,
  REQUEST_DURATION: since((i) => i.requestEndTime),
  REQUEST_TX_DURATION: since((i) => i.upstreamRequestEndTime ?? (i.upstreamHost === '' ? undefined : i.requestEndTime)),
  RESPONSE_DURATION: since((i) => i.responseStartTime),
  RESPONSE_TX_DURATION: since(
    (i) => i.responseEndTime,
    (i) => i.responseStartTime,
  ),
  UPSTREAM_REQUEST_ATTEMPT_COUNT: info((i) => i.attemptCount),
  ROUTE_NAME: text((i) => i.routeName),
  UPSTREAM_HOST: text((i) => i.upstreamHost),
  UPSTREAM_HOST_NAME: text((i) => i.upstreamHost),
  UPSTREAM_HOST_NAME_WITHOUT_PORT: text((i) => withoutPort(i.upstreamHost)),
  UPSTREAM_CLUSTER: text((i) => i.upstreamCluster),
  UPSTREAM_CLUSTER_RAW: text((i) => i.upstreamCluster),
  UPSTREAM_LOCAL_ADDRESS: text((i) => i.upstreamLocalAddress),
  UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: text((i) => withoutPort(i.upstreamLocalAddress)),
  UPSTREAM_LOCAL_PORT: info((i) => portOf(i.upstreamLocalAddress)),
  UPSTREAM_REMOTE_ADDRESS: text((i) => i.upstreamHost),
  UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: text((i) => withoutPort(i.upstreamHost)),
  UPSTREAM_REMOTE_PORT: info((i) => portOf(i.upstreamHost)),
  UPSTREAM_TRANSPORT_FAILURE_REASON: text((i) => i.upstreamFailureReason.replaceAll(' ', '_')),
  UPSTREAM_TLS_VERSION: up((t) => t.version),
  UPSTREAM_TLS_CIPHER: up((t) => t.cipher),
  UPSTREAM_LOCAL_URI_SAN: up((t) => t.localUriSan),
  UPSTREAM_PEER_URI_SAN: up((t) => t.uriSans.join(',')),
  UPSTREAM_PEER_SUBJECT: up((t) => t.subject),
  DOWNSTREAM_TRANSPORT_FAILURE_REASON: text((i) => i.downstreamTransportFailureReason?.replaceAll(' ', '_')),
  DOWNSTREAM_REMOTE_ADDRESS: text(remote),
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: text((i) => i.remoteAddress),
  DOWNSTREAM_REMOTE_PORT: info((i) => portOf(remote(i))),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: text((i) => joinPort(i.connection.directRemoteAddress, i.connection.remotePort)),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: text((i) => i.connection.directRemoteAddress),
  DOWNSTREAM_DIRECT_REMOTE_PORT: info((i) => i.connection.remotePort),
  DOWNSTREAM_LOCAL_ADDRESS: text(local),
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: text((i) => i.connection.localAddress),
  DOWNSTREAM_LOCAL_PORT: info((i) => i.connection.localPort),
  DOWNSTREAM_DIRECT_LOCAL_ADDRESS: text(local),
  DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT: text((i) => i.connection.localAddress),
  DOWNSTREAM_DIRECT_LOCAL_PORT: info((i) => i.connection.localPort),
  DOWNSTREAM_LOCAL_URI_SAN: down((t) => t.localUriSan),
  DOWNSTREAM_PEER_URI_SAN: down(peer((t) => t.uriSans.join(','))),
  DOWNSTREAM_PEER_DNS_SAN: down(peer((t) => t.dnsSans.join(','))),
  DOWNSTREAM_PEER_SUBJECT: down(peer((t) => t.subject)),
  DOWNSTREAM_PEER_FINGERPRINT_256: down(peer((t) => t.peerFingerprint)),
  DOWNSTREAM_PEER_CERT: down(peer((t) => encodeURIComponent(t.peerCertificatePem()))),
  DOWNSTREAM_TLS_VERSION: down((t) => t.version),
  DOWNSTREAM_TLS_CIPHER: down((t) => t.cipher),
  REQUESTED_SERVER_NAME: (argument) =>
    argument === undefined || argument === '' || argument.startsWith('SNI')
      ? (source) =>
          source.info.connection.requestedServerName === '' ? undefined : source.info.connection.requestedServerName
      : { problem: `\`${argument}\` is not supported` },
  CONNECTION_ID: info((i) => i.connection.id),
  FILTER_CHAIN_NAME: text((i) => i.filterChainName),
  LOCAL_REPLY_BODY: text((i) => i.localReplyBody),
  HOSTNAME: (argument) => (argument === undefined ? () => hostname() : { problem: 'takes no argument' }),
  ACCESS_LOG_TYPE: (argument) =>
    argument === undefined ? (source) => source.logType ?? 'DownstreamEnd' : { problem: 'takes no argument' },
  UNIQUE_ID: (argument, deps) => (argument === undefined ? () => deps.uuid() : { problem: 'takes no argument' }),
  STREAM_ID: (argument) =>
    argument === undefined ? requestHeaderOf('x-request-id') : { problem: 'takes no argument' },
  TRACE_ID: (argument) =>
    argument === undefined
      ? (source) =>
          source.request?.headers.get('traceparent')?.split('-')[1] ?? source.request?.headers.get('x-b3-traceid')
      : { problem: 'takes no argument' },
  ENVIRONMENT: (argument, deps) => {
    if (argument === undefined || argument === '') return { problem: 'needs the name of a variable' };
    return () => deps.env(argument);
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
  RESP: header(
    (name) => (source) => (source.response === undefined ? undefined : responseHeader(source.response, name)),
  ),
  TRAILER: header((name) => (source) => trailer(source, name)),
  QUERY_PARAM: (argument) => {
    if (argument === undefined || argument === '') return { problem: 'needs the name of a parameter' };
    return (source) => (source.request === undefined ? undefined : queryParameter(source.request.path, argument));
  },
  PATH: path,
  GRPC_STATUS: grpcStatus(false),
  GRPC_STATUS_NUMBER: grpcStatus(true),
  DYNAMIC_METADATA: metadata((i) => i.dynamicMetadata),
  METADATA: (argument, deps) => {
    const [of = '', ...rest] = (argument ?? '').split(':');
    const get = METADATA_OF[of];
    return get === undefined ? { problem: `\`${of}\` has no metadata here` } : metadata(get)(rest.join(':'), deps);
  },
};
