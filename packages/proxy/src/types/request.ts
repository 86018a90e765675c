import type { JsonObject } from '@mizzen/xds';
import type { FilterState } from '../filter-state/state.ts';
import type { Headers } from '../http/headers.ts';
import type { ConnectionInfo, PeerTls } from './connection.ts';
import type { UpstreamHost, UpstreamSocket } from './upstream.ts';

/**
 * A request's head. `path` is the request target with its query, empty for CONNECT; `authority` the Host (or the
 * authority of the target), empty when there is none. `headers` holds neither `host` nor what concerns only the
 * connection (`connection`, `upgrade` unless honoured, `transfer-encoding`, `keep-alive`).
 */
export interface RequestHead {
  method: string;
  path: string;
  authority: string;
  scheme: string;
  readonly headers: Headers;
  /** It named a host, by nothing. */
  hostIsEmpty?: boolean;
  /** It came with an empty x-forwarded-proto. */
  protoIsEmpty?: boolean;
}

export interface ResponseHead {
  status: number;
  readonly headers: Headers;
}

/** What is known of a request while it runs and when it is logged. */
export interface StreamInfo {
  /** Told more of once its handshake is over. */
  connection: ConnectionInfo;
  /** Address of the client after x-forwarded-for has been considered. */
  remoteAddress: string;
  /** A header that may make a request internal said so. */
  remoteIsTrusted?: boolean;
  /** Clock times in milliseconds; -1 until it happened. */
  startTime: number;
  requestEndTime: number;
  upstreamStartTime: number;
  responseStartTime: number;
  responseEndTime: number;
  /** The last of the response has not been sent when it ends. */
  readonly responseUnfinished?: boolean;
  /** Wall time of the start. */
  startWall: number;
  bytesReceived: number;
  bytesSent: number;
  responseCode: number;
  responseCodeDetails: string;
  /** Bit set of ResponseFlag. */
  responseFlags: number;
  /** The same bits in the order in which they were set, which is how they are logged; undefined: in the table's order. */
  flagOrder?: readonly number[] | undefined;
  protocol: 'HTTP/1.0' | 'HTTP/1.1' | '';
  /** Attempts made upstream, first one included. */
  attemptCount: number;
  upstreamCluster: string;
  /** What it is told of as, where that is not its name. */
  upstreamClusterAltName?: string | undefined;
  clusterMetadata?: Readonly<Record<string, JsonObject>> | undefined;
  upstreamHost: string;
  upstreamLocalAddress: string;
  upstreamFailureReason: string;
  routeName: string;
  /** By filter name, e.g. `envoy.filters.http.jwt_authn`. Created when first written. */
  dynamicMetadata: Record<string, JsonObject> | undefined;
  /** It is one of those that ask whether the proxy is well. */
  healthCheck?: boolean;
  /** The host that a filter wants for the first attempt. */
  overrideHost?: OverrideHost | undefined;
  /** What filters noted for others. Created when first written. */
  filterState?: FilterState | undefined;
  /** Which fields of Istio's exchange of metadata the request came with, for the filter that took them off. */
  peerFields?: object | undefined;
  /** What the rule that ended the request was, e.g. the policy that denied it. */
  terminatedBy: string;
  /** Only access logs read these; what is not set is logged as absent. */
  connectionTerminationDetails?: string;
  downstreamTransportFailureReason?: string;
  filterChainName?: string;
  localReplyBody?: string;
  /** The host of the last attempt. */
  upstreamTarget?: UpstreamHost | undefined;
  /** Of attempts to connect, where there may be several; undefined: only the last one counts. */
  upstreamHostsAttempted?: UpstreamHost[] | undefined;
  /** The connection that carried it. */
  upstreamConnection?:
    | {
        readonly id: number;
        /** Which of the host's addresses it is to; undefined: the one by which the host is known. */
        readonly remoteAddress?: string | undefined;
        readonly times?: ConnectTimes | undefined;
        readonly socket: UpstreamSocket;
        readonly peer: PeerTls | undefined;
        /** What was passed on to it when it was made. */
        readonly filterState: FilterState | undefined;
      }
    | undefined;
  /** When the last attempt began to wait for it, and had it. */
  poolWaitStart?: number;
  poolReady?: number;
  virtualHostMetadata?: Readonly<Record<string, JsonObject>> | undefined;
  routeResolutions?: number;
  /** Milliseconds, where it is measured. */
  routeResolutionTime?: number;
  virtualClusterName?: string;
  /** As Envoy counts them, of HTTP alone. */
  headerBytesReceived?: number;
  headerBytesSent?: number;
  wireBytesReceived?: number;
  /** The head was refused before anything was made of it: nobody but logs of its fields knows it. */
  headRefused?: boolean;
  wireBytesSent?: number;
  upstreamHeaderBytesSent?: number;
  upstreamHeaderBytesReceived?: number;
  /** With every attempt's added once more by each that follows. */
  upstreamHeaderBytesSummed?: number;
  upstreamWireBytesSent?: number;
  upstreamWireBytesReceived?: number;
  /** Head of the upstream's response. */
  upstreamResponseTime?: number;
  /** First byte of its body, and its end. */
  upstreamBodyTime?: number;
  upstreamResponseEndTime?: number;
  /** Set with the route. */
  virtualHostName?: string | undefined;
  /** Metadata of the route, by filter name. */
  routeMetadata?: Readonly<Record<string, JsonObject>>;
  /** Last byte of the request sent upstream. */
  upstreamRequestEndTime?: number;
}

/** Clock times of how a connection to an upstream was made. */
export interface ConnectTimes {
  readonly start: number;
  readonly connected: number;
  /** Undefined: without TLS. */
  readonly secured: number | undefined;
}

/** A host that is meant for a request, whatever the load balancer would say. */
export interface OverrideHost {
  /** `address:port`, or the path of a pipe. */
  readonly address: string;
  /** No other host will do. */
  readonly strict: boolean;
  /** What a client is told when there is no such host, not even an unhealthy one, and no other will do. */
  readonly status: number;
}
