import type { JsonObject } from '@mizzen/xds';
import type { FilterState } from '../filter-state/state.ts';
import type { ConnectionInfo, OverrideHost, StreamInfo, UpstreamCluster } from '../types.ts';

/** Notes the cluster that a request or a connection goes to, if there is one. */
export function nameCluster(info: StreamInfo, cluster: UpstreamCluster | undefined): void {
  info.upstreamCluster = cluster?.name ?? '';
  info.upstreamClusterAltName = undefined;
  info.clusterMetadata = cluster?.metadata;
  if (cluster === undefined) return;
  if (cluster.statName !== cluster.name) info.upstreamClusterAltName = cluster.statName;
}

/** See StreamInfo. */
export class StreamRecord implements StreamInfo {
  readonly connection: ConnectionInfo;
  #flags = 0;
  remoteAddress: string;
  startTime: number;
  startWall: number;
  requestEndTime = -1;
  upstreamStartTime = -1;
  responseStartTime = -1;
  responseEndTime = -1;
  responseUnfinished = true;
  bytesReceived = 0;
  bytesSent = 0;
  responseCode = 0;
  responseCodeDetails = '';
  flagOrder: number[] | undefined = undefined;
  protocol: StreamInfo['protocol'] = 'HTTP/1.1';
  attemptCount = 0;
  upstreamCluster = '';
  upstreamClusterAltName: string | undefined = undefined;
  clusterMetadata: StreamInfo['clusterMetadata'] = undefined;
  upstreamHost = '';
  upstreamLocalAddress = '';
  upstreamFailureReason = '';
  routeName = '';
  virtualHostName: string | undefined = undefined;
  dynamicMetadata: Record<string, JsonObject> | undefined = undefined;
  filterState: FilterState | undefined = undefined;
  peerFields: object | undefined = undefined;
  overrideHost: OverrideHost | undefined = undefined;
  healthCheck = false;
  terminatedBy = '';
  localReplyBody: string | undefined = undefined;
  upstreamTarget: StreamInfo['upstreamTarget'] = undefined;
  upstreamConnection: StreamInfo['upstreamConnection'] = undefined;
  poolWaitStart = -1;
  poolReady = -1;
  virtualHostMetadata: StreamInfo['virtualHostMetadata'] = undefined;
  routeResolutions = 0;
  routeResolutionTime: number | undefined = undefined;
  virtualClusterName = '';
  headerBytesReceived = 0;
  headerBytesSent = 0;
  wireBytesReceived = 0;
  headRefused = false;
  wireBytesSent = 0;
  upstreamHeaderBytesSent = 0;
  upstreamHeaderBytesReceived = 0;
  upstreamHeaderBytesSummed = 0;
  upstreamWireBytesSent = 0;
  upstreamWireBytesReceived = 0;
  routeMetadata: StreamInfo['routeMetadata'] = undefined;
  upstreamRequestEndTime = -1;
  upstreamResponseTime = -1;
  upstreamBodyTime = -1;
  upstreamResponseEndTime = -1;

  get responseFlags(): number {
    return this.#flags;
  }
  set responseFlags(bits: number) {
    const added = bits & ~this.#flags;
    if (added === 0) return;
    this.#flags = bits;
    (this.flagOrder ??= []).push(added);
  }

  constructor(connection: ConnectionInfo, now: number, wall: number) {
    this.connection = connection;
    this.remoteAddress = connection.directRemoteAddress;
    this.startTime = now;
    this.startWall = wall;
  }
}
