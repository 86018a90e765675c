/** What spans say of a request and of an attempt, under Envoy's names. */
import type { LogSource } from '../program/types.ts';
import { originalUri } from '../http/original-uri.ts';
import { readUnsigned } from '../http/unsigned.ts';
import { unwire } from '../program/values.ts';
import { flagNames } from '../telemetry/access-log-flags.ts';
import { isGrpc, trailer } from '../telemetry/access-log-grpc.ts';
import type { RequestHead, StreamInfo, UpstreamCluster } from '../types.ts';
import type { CustomTag } from './tags.ts';
import type { Span } from './span.ts';

export interface SpanDetails {
  readonly verbose: boolean;
  readonly maxPathLength: number;
  readonly tags: Iterable<CustomTag>;
}

export interface AttemptTimes {
  readonly sentAt: number;
  readonly respondedAt: number;
  readonly canceled: boolean;
  readonly failure: string | undefined;
}

/** Tags and events of a request's span. */
export function describeRequest(
  span: Span,
  source: LogSource,
  cluster: UpstreamCluster | undefined,
  details: SpanDetails,
): void {
  const { info, request } = source;
  const { tags } = span;
  if (request !== undefined && request.method !== '') requestTags(tags, request, info, details.maxPathLength);
  tags.set('request_size', String(info.bytesReceived));
  tags.set('response_size', String(info.bytesSent));
  commonTags(span, source, cluster, details);
  if (details.verbose) for (const [name, time] of requestEvents(info)) addEvent(span, info, name, time);
  responseTags(tags, source);
}

/** Tags and events of an attempt's span; `source` is the attempt alone. */
export function describeAttempt(
  span: Span,
  source: LogSource,
  cluster: UpstreamCluster | undefined,
  details: SpanDetails,
  attempt: AttemptTimes,
  /** Of the whole request. */
  whole: StreamInfo,
): void {
  const { info } = source;
  const { tags } = span;
  tags.set('http.protocol', info.protocol === '' ? '-' : info.protocol);
  if (info.upstreamHost !== '') {
    tags.set('upstream_address', info.upstreamHost);
    tags.set('peer.address', info.upstreamHost);
  }
  commonTags(span, source, cluster, details);
  const { sentAt, respondedAt, canceled, failure } = attempt;
  if (canceled) tags.set('error', 'true').set('canceled', 'true');
  if (failure !== undefined) tags.set('error', 'true').set('error.reason', failure);
  responseTags(tags, source);
  if (!details.verbose || sentAt < 0) return;
  addEvent(span, whole, 'first_upstream_tx_byte_sent', sentAt);
  addEvent(span, whole, 'last_upstream_tx_byte_sent', whole.upstreamRequestEndTime);
  addEvent(span, whole, 'first_upstream_rx_byte_received', respondedAt);
  if (respondedAt >= 0 && !canceled && failure === undefined)
    addEvent(span, whole, 'last_upstream_rx_byte_received', info.responseEndTime);
}

/** A copy of a request, when it is over. */
export interface EndedShadow {
  readonly cluster: UpstreamCluster;
  readonly info: StreamInfo;
}

/** Tags of the span of a copy. */
export function describeShadow({ tags }: Span, { cluster, info }: EndedShadow, cancelled: boolean): void {
  if (cancelled) tags.set('canceled', 'true');
  tags.set('http.protocol', 'HTTP/1.1');
  if (info.upstreamHost !== '') tags.set('upstream_address', info.upstreamHost).set('peer.address', info.upstreamHost);
  tags.set('component', 'proxy');
  tags.set('upstream_cluster', cluster.name);
  tags.set('upstream_cluster.name', cluster.statName ?? cluster.name);
  tags.set('http.status_code', String(info.responseCode));
  tags.set('response_flags', flagNames(info.responseFlags, false, info.flagOrder) ?? '-');
  if (info.responseCode === 0 || info.responseCode >= 500) tags.set('error', 'true');
}

function requestTags(tags: Map<string, string>, request: RequestHead, info: StreamInfo, maxPathLength: number): void {
  const { headers } = request;
  const header = (name: string): string | undefined => {
    const value = headers.get(name);
    return value === undefined ? undefined : unwire(value);
  };
  const id = header('x-request-id');
  if (id !== undefined) tags.set('guid:x-request-id', id);
  tags.set('http.url', unwire(originalUri(request, maxPathLength)));
  tags.set('http.method', request.method);
  tags.set('downstream_cluster', header('x-envoy-downstream-service-cluster') ?? '-');
  tags.set('user_agent', header('user-agent') ?? '-');
  tags.set('http.protocol', info.protocol === '' ? '-' : info.protocol);
  tags.set('peer.address', info.connection.directRemoteAddress);
  const client = header('x-client-trace-id');
  if (client !== undefined) tags.set('guid:x-client-trace-id', client);
  if (!isGrpc(headers.get('content-type'))) return;
  tags.set('grpc.path', unwire(request.path));
  tags.set('grpc.authority', unwire(request.authority));
  tags.set('grpc.content_type', header('content-type') ?? '');
  const timeout = header('grpc-timeout');
  if (timeout !== undefined) tags.set('grpc.timeout', timeout);
}

function commonTags(
  { tags }: Span,
  source: LogSource,
  cluster: UpstreamCluster | undefined,
  details: SpanDetails,
): void {
  const { info } = source;
  tags.set('component', 'proxy');
  if (info.upstreamCluster !== '') {
    tags.set('upstream_cluster', info.upstreamCluster);
    tags.set('upstream_cluster.name', cluster?.statName ?? info.upstreamCluster);
  }
  tags.set('http.status_code', String(info.responseCode));
  tags.set('response_flags', flagNames(info.responseFlags, false, info.flagOrder) ?? '-');
  if (info.responseCode === 0 || info.responseCode >= 500) tags.set('error', 'true');
  for (const { name, value } of details.tags) {
    const given = value(source) ?? '';
    if (given !== '') tags.set(name, unwire(given));
  }
}

/** gRPC statuses that are the upstream's fault. */
const FAULTS = new Set([2, 4, 8, 12, 13, 14, 15]);

function responseTags(tags: Map<string, string>, source: LogSource): void {
  const of = (name: string): string | undefined => trailer(source, name) ?? source.response?.headers.get(name);
  if (source.response === undefined) return;
  const status = of('grpc-status');
  if (status === undefined) return;
  tags.set('grpc.status_code', status);
  const message = of('grpc-message');
  if (message !== undefined) tags.set('grpc.message', unwire(message));
  if (FAULTS.has(readUnsigned(status) ?? -1)) tags.set('error', 'true');
}

type Moment = readonly [name: string, time: number | undefined];

function requestEvents(info: StreamInfo): readonly Moment[] {
  return [
    ['last_downstream_rx_byte_received', info.requestEndTime],
    ...upstreamEvents(info),
    ['last_upstream_rx_byte_received', info.upstreamResponseTime === -1 ? -1 : info.responseEndTime],
    ['first_downstream_tx_byte_sent', info.responseStartTime],
    ['last_downstream_tx_byte_sent', info.responseEndTime],
  ];
}

function upstreamEvents(info: StreamInfo): readonly Moment[] {
  return [
    ['first_upstream_tx_byte_sent', info.upstreamStartTime],
    ['last_upstream_tx_byte_sent', info.upstreamRequestEndTime],
    ['first_upstream_rx_byte_received', info.upstreamResponseTime],
  ];
}

function addEvent(span: Span, info: StreamInfo, name: string, time: number | undefined): void {
  if (time !== undefined && time >= 0) span.events.push({ name, time: info.startWall + time - info.startTime });
}
