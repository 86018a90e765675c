import type { Clock } from '../deps.ts';
import type { ConnectionInfo, StreamInfo } from '../types.ts';

/** What is known of a connection that carries no requests, when it begins. */
export function newStreamInfo(connection: ConnectionInfo, clock: Clock): StreamInfo {
  return {
    connection,
    remoteAddress: connection.directRemoteAddress,
    startTime: clock.now(),
    requestEndTime: -1,
    upstreamStartTime: -1,
    responseStartTime: -1,
    responseEndTime: -1,
    startWall: clock.wall(),
    bytesReceived: 0,
    bytesSent: 0,
    responseCode: 0,
    responseCodeDetails: '',
    responseFlags: 0,
    protocol: '',
    attemptCount: 0,
    upstreamCluster: '',
    upstreamHost: '',
    upstreamLocalAddress: '',
    upstreamFailureReason: '',
    routeName: '',
    dynamicMetadata: undefined,
    terminatedBy: '',
    ...(connection.notTls === undefined ? {} : { downstreamTransportFailureReason: connection.notTls }),
  };
}
