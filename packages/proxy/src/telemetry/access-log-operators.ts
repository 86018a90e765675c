import { hostname } from 'node:os';
import { wire } from '../program/values.ts';
import { ResponseFlag, type ConnectionInfo, type StreamInfo } from '../types.ts';
import { coalesce } from './access-log-coalesce.ts';
import { flagNames } from './access-log-flags.ts';
import { BYTES } from './access-log-upstream.ts';
import { ADDRESS_OPERATORS } from './operators/addresses.ts';
import { HEAD_OPERATORS } from './operators/heads.ts';
import { METADATA_OPERATORS } from './operators/metadata.ts';
import { info, ofSource, text, unlessEmpty, type OperatorDeps, type OperatorFactory } from './operators/operator.ts';
import { TIME_OPERATORS } from './operators/times.ts';
import { TLS_OPERATORS } from './operators/tls.ts';

/** The details before, which nearly all are the same as, and what they were in a line. */
let lastDetails = '';
let lastWord = '';

/** Details are one word in a line. */
function underscored(details: string): string {
  if (details !== lastDetails) {
    lastDetails = details;
    lastWord = details.replaceAll(' ', '_');
  }
  return lastWord;
}

const uuids = new WeakMap<ConnectionInfo, string>();
function connectionUuid({ connection }: StreamInfo, deps: OperatorDeps): string {
  let uuid = uuids.get(connection);
  if (uuid === undefined) uuids.set(connection, (uuid = deps.uuid()));
  return uuid;
}

/** Envoy's command operators by name. Trailing `:N` (cut to N characters) is the parser's. */
export const operators: Readonly<Record<string, OperatorFactory>> = {
  ...TIME_OPERATORS,
  ...HEAD_OPERATORS,
  ...METADATA_OPERATORS,
  ...TLS_OPERATORS,
  ...ADDRESS_OPERATORS,
  // Those of the formats that nearly all logs have are one call, and not one in another.
  PROTOCOL: ofSource(({ info: i }) => unlessEmpty(i.protocol)),
  UPSTREAM_PROTOCOL: text((i) => (i.protocol !== '' && i.upstreamLocalAddress !== '' ? 'HTTP/1.1' : '')),
  RESPONSE_CODE: ofSource(({ info: i }) => i.responseCode),
  // Where a filter has no configuration there are details, without a word.
  RESPONSE_CODE_DETAILS:
    (argument) =>
    ({ info: { responseCodeDetails: details, responseFlags } }) => {
      if (details === '' && (responseFlags & ResponseFlag.NFCF) === 0) return undefined;
      return argument === 'ALLOW_WHITESPACES' ? details : underscored(details);
    },
  CONNECTION_TERMINATION_DETAILS: text((i) => i.connectionTerminationDetails),
  RESPONSE_FLAGS: ofSource(({ info: i }) => flagNames(i.responseFlags, false, i.flagOrder) ?? '-'),
  RESPONSE_FLAGS_LONG: info((i) => flagNames(i.responseFlags, true, i.flagOrder) ?? '-'),
  BYTES_RECEIVED: ofSource(({ info: i }) => i.bytesReceived),
  BYTES_SENT: ofSource(({ info: i }) => i.bytesSent),
  UPSTREAM_REQUEST_ATTEMPT_COUNT: info((i) => i.attemptCount),
  ROUTE_NAME: text((i) => i.routeName),
  UPSTREAM_DETECTED_CLOSE_TYPE: ofSource(
    ({ info: { connection, upstreamHost }, logType }) =>
      connection.upstreamCloseType ??
      (upstreamHost === '' && logType?.startsWith('Tcp') !== true ? undefined : 'Normal'),
  ),
  // A request never has one, whatever becomes of its connection.
  UPSTREAM_LOCAL_CLOSE_REASON: text((i) => (i.protocol === '' ? i.connection.upstreamCloseReason : undefined)),
  DOWNSTREAM_LOCAL_CLOSE_REASON: ofSource(({ info: i, logType }) =>
    i.protocol === '' || logType === 'NotSet' ? i.connection.closeReason : undefined,
  ),
  DOWNSTREAM_DETECTED_CLOSE_TYPE: text((i) => i.connection.closeType ?? 'Normal'),
  CUSTOM_FLAGS: info(() => ''),
  VIRTUAL_CLUSTER_NAME: text((i) => i.virtualClusterName),
  ...Object.fromEntries(Object.entries(BYTES).map(([name, count]) => [name, info(count)])),
  UPSTREAM_CLUSTER: ofSource(({ info: i }) => unlessEmpty(i.upstreamClusterAltName ?? i.upstreamCluster)),
  UPSTREAM_CLUSTER_RAW: text((i) => i.upstreamCluster),
  UPSTREAM_TRANSPORT_FAILURE_REASON: text((i) => i.upstreamFailureReason.replaceAll(' ', '_')),
  DOWNSTREAM_TRANSPORT_FAILURE_REASON: text((i) => i.downstreamTransportFailureReason?.replaceAll(' ', '_')),
  CONNECTION_ID: info((i) => i.connection.id),
  LISTENER_NAME: text((i) => wire(i.connection.listenerName ?? '')),
  FILTER_CHAIN_NAME: text((i) => i.filterChainName ?? i.connection.filterChainName),
  // Only formats of local replies know it.
  LOCAL_REPLY_BODY: info((i) => i.localReplyBody ?? ''),
  HOSTNAME: (argument) => (argument === undefined ? () => hostname() : { problem: 'takes no argument' }),
  ACCESS_LOG_TYPE: ofSource((source) => source.logType ?? 'NotSet'),
  UNIQUE_ID: (argument, deps) => (argument === undefined ? () => deps.uuid() : { problem: 'takes no argument' }),
  STREAM_ID: (argument, deps) =>
    argument === undefined
      ? (source) =>
          source.request === undefined ? connectionUuid(source.info, deps) : source.request.headers.get('x-request-id')
      : { problem: 'takes no argument' },
  TRACE_ID: ofSource(({ tracing }) => (tracing?.ids?.keepsId === 'both' ? undefined : tracing?.ids?.traceId)),
  SPAN_ID: ofSource(({ tracing }) => (tracing?.ids?.keepsId === undefined ? tracing?.ids?.spanId : undefined)),
  ENVIRONMENT: (argument, deps) => {
    if (argument === undefined || argument === '') return { problem: 'needs the name of a variable' };
    return () => deps.env(argument) ?? '-';
  },
  COALESCE: coalesce((name) => (Object.hasOwn(operators, name) ? operators[name] : undefined)),
};
