import type { AccessLogType, LogSource } from '../program/types.ts';
import type { ResponseHead, UpstreamHost } from '../types.ts';
import type { ClientConnection } from './client-connection.ts';
import { StreamRecord } from './info.ts';
import { turnNow } from './turn.ts';
import type { ActiveStream } from './stream.ts';

/** One attempt as the router's own log sees it. */
export interface LoggedAttempt {
  readonly host: UpstreamHost;
  readonly head: ResponseHead | undefined;
  readonly connection: ClientConnection | undefined;
  /** Clock time of its start. */
  readonly started: number;
  readonly flags: number;
  readonly transportFailure: string;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly wireBytesSent: number;
  readonly wireBytesReceived: number;
}

/** Writes a line about an attempt to every log of the router that wants one. */
export function logAttempt(stream: ActiveStream, attempt: LoggedAttempt, logType: AccessLogType): void {
  const source: LogSource = {
    info: recordOf(stream, attempt),
    request: stream.request,
    response: attempt.head,
    logType,
  };
  for (const log of stream.hcm.upstreamLoggers ?? []) log(source);
}

export function recordOf(stream: ActiveStream, attempt: LoggedAttempt): StreamRecord {
  const { info, hcm } = stream;
  const { host, connection, head } = attempt;
  const record = new StreamRecord(info.connection, attempt.started, info.startWall + attempt.started - info.startTime);
  record.remoteAddress = info.remoteAddress;
  record.responseEndTime = turnNow(hcm.deps.clock);
  record.responseCode = head?.status ?? 0;
  record.responseFlags = attempt.flags;
  // A request that never got a connection had no protocol.
  record.protocol = connection === undefined ? '' : info.protocol;
  record.upstreamCluster = info.upstreamCluster;
  record.upstreamClusterAltName = info.upstreamClusterAltName;
  record.upstreamHost = host.authority;
  record.upstreamTarget = host;
  record.upstreamConnection = connection;
  record.upstreamLocalAddress = connection?.localAddress ?? '';
  record.upstreamFailureReason = attempt.transportFailure;
  record.routeName = info.routeName;
  record.routeMetadata = info.routeMetadata;
  record.virtualHostMetadata = info.virtualHostMetadata;
  record.virtualClusterName = info.virtualClusterName;
  record.dynamicMetadata = info.dynamicMetadata;
  record.bytesReceived = attempt.responseBytes;
  record.bytesSent = attempt.requestBytes;
  record.upstreamWireBytesSent = info.upstreamWireBytesSent + attempt.wireBytesSent;
  record.upstreamWireBytesReceived = info.upstreamWireBytesReceived + attempt.wireBytesReceived;
  record.wireBytesSent = stream.connection.out.bytes;
  return record;
}
