/**
 * What the parts of the data plane know of each other. program/ compiles xDS into these shapes without side effects;
 * codec/ and http/ move requests; cluster/ and lb/ choose where to; listener/ and tls/ accept and connect.
 */
import type { RouteDecorator, RouteTracing } from './tracing/program.ts';
import type { TriedPriorities } from './lb/previous-priorities.ts';
import type { HeaderMutations } from './program/headers.ts';
import type { ProxyProtocolProgram, TlsCertificateProgram } from './program/types.ts';
import type { Histogram } from './telemetry/histogram.ts';
import type { ResponseCodes } from './telemetry/response-codes.ts';
import type { Socket } from 'node:net';
import type { Transform } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { JsonObject, JsonValue } from '@mizzen/xds';
import type { ExchangeProgram } from './istio/exchange.ts';
import type { FilterState } from './filter-state/state.ts';
import type { ProxyTlv } from './filter/proxy-protocol/header.ts';
import type { Headers } from './http/headers.ts';
import type { SubjectAltNames } from './tls/subject-alt-names.ts';
import type { TlsSession } from './tls/session.ts';

// ---- a request, as everything sees it --------------------------------------------------------------------------

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
}

export interface ResponseHead {
  status: number;
  readonly headers: Headers;
}

/** The two ends of a connection. */
export interface ConnectionEnds {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/** What is known of the connection a request came on. Set once per connection. */
export interface ConnectionInfo {
  readonly id: number;
  /** Bytes that came when the connection had been given up: nobody read them. */
  unread?: number;
  /** Why this side has closed it, in Envoy's words for logs. */
  closeReason?: string | undefined;
  /** The connection to the upstream was closed for the same reason. */
  upstreamCloseReason?: string | undefined;
  /**
   * Address of the peer, as a PROXY protocol header has it where there was one; `remoteAddress` may later be taken from
   * x-forwarded-for.
   */
  readonly directRemoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly tls: PeerTls | undefined;
  /** Server name the client asked for (SNI), also when the listener only looked and did not terminate. */
  readonly requestedServerName: string;
  /** ALPN or what an inspector found: `http/1.1`, `h2`, `h2c`, or empty. */
  readonly applicationProtocol: string;
  /** Of the chain that took it; undefined where there is none. */
  readonly filterChainName?: string;
  /** Metadata of the listener and the chain, where their configuration has any. */
  readonly configured?: {
    readonly listener: Readonly<Record<string, JsonObject>> | undefined;
    readonly chain: Readonly<Record<string, JsonObject>> | undefined;
  };
  /** What network filters noted for others; undefined: nothing. */
  readonly filterState?: FilterState | undefined;
  /** What the socket itself says, where a PROXY protocol header told of other ends. */
  readonly socketEnds?: ConnectionEnds;
  /** Noted by listener filters, by name. */
  readonly listenerMetadata?: Readonly<Record<string, JsonObject>> | undefined;
  /** Fingerprints of the ClientHello, where the TLS inspector is to take them. */
  readonly ja3?: string | undefined;
  readonly ja4?: string | undefined;
  /** What a PROXY protocol header brought along for those upstream. */
  readonly proxyTlvs?: readonly ProxyTlv[];
}

export interface PeerTls {
  /** A certificate was presented and verified. */
  readonly authenticated: boolean;
  readonly uriSans: readonly string[];
  readonly dnsSans: readonly string[];
  readonly subject: string;
  readonly localUriSan: string;
  /** SHA-256 of the peer's certificate, lowercase hexadecimal. */
  readonly peerFingerprint: string;
  readonly peerCertificatePem: () => string;
  readonly version: string;
  readonly cipher: string;
  /** What only access logs ask for; undefined when the peer has shown no certificate. */
  readonly certificates?: CertificateDetails | undefined;
  /** Name that the client asked for in its handshake; absent or empty: none. */
  readonly serverName?: string;
  /** All that the peer has shown, its own first. */
  readonly shownCertificates?: readonly CertificateMarks[];
  /** Of the authority that has signed the peer's certificate; undefined: it is not known. */
  readonly issuerCertificate?: CertificateMarks | undefined;
  /** Values of `otherName`s, as text. */
  readonly peerOtherNames?: readonly string[];
  readonly localOtherNames?: readonly string[];
  readonly session?: TlsSession;
  /** Clock time at which the handshake was over. */
  readonly handshakeEnd?: number;
}

/** What tells one certificate from others, in lowercase hexadecimal. */
export interface CertificateMarks {
  readonly serial: string;
  readonly fingerprint1: string;
  readonly fingerprint256: string;
}

export interface CertificateDetails {
  readonly peerNames: SubjectAltNames;
  readonly issuer: string;
  /** Lowercase hexadecimal. */
  readonly serial: string;
  /** SHA-1, lowercase hexadecimal. */
  readonly fingerprint1: string;
  /** Milliseconds since the epoch. */
  readonly validFrom: number;
  readonly validTo: number;
  readonly localNames: SubjectAltNames;
  readonly localSubject: string;
}

/** What is known of a request while it runs and when it is logged. */
export interface StreamInfo {
  readonly connection: ConnectionInfo;
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
  /** Wall time of the start. */
  startWall: number;
  bytesReceived: number;
  bytesSent: number;
  responseCode: number;
  responseCodeDetails: string;
  /** Bit set of ResponseFlag. */
  responseFlags: number;
  /** The same bits in the order in which they were set, which is how they are logged; undefined: in the table's order. */
  readonly flagOrder?: readonly number[] | undefined;
  protocol: 'HTTP/1.0' | 'HTTP/1.1' | '';
  /** Attempts made upstream, first one included. */
  attemptCount: number;
  upstreamCluster: string;
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
    | { readonly id: number; readonly socket: UpstreamSocket; readonly peer: PeerTls | undefined }
    | undefined;
  /** When the last attempt began to wait for it, and had it. */
  poolWaitStart?: number;
  poolReady?: number;
  virtualHostMetadata?: Readonly<Record<string, JsonObject>> | undefined;
  routeResolutions?: number;
  virtualClusterName?: string;
  /** As Envoy counts them, of HTTP alone. */
  headerBytesReceived?: number;
  headerBytesSent?: number;
  wireBytesReceived?: number;
  wireBytesSent?: number;
  upstreamHeaderBytesSent?: number;
  upstreamHeaderBytesReceived?: number;
  /** With every attempt's added once more by each that follows. */
  upstreamHeaderBytesSummed?: number;
  upstreamWireBytesSent?: number;
  upstreamWireBytesReceived?: number;
  /** Head of the upstream's response. */
  upstreamResponseTime?: number;
  /** Set with the route. */
  virtualHostName?: string | undefined;
  /** Metadata of the route, by filter name. */
  routeMetadata?: Readonly<Record<string, JsonObject>>;
  /** Last byte of the request sent upstream. */
  upstreamRequestEndTime?: number;
}

/** A host that is meant for a request, whatever the load balancer would say. */
export interface OverrideHost {
  /** `address:port`, or the path of a pipe. */
  readonly address: string;
  /** No other host will do. */
  readonly strict: boolean;
  /** What a client is told when there is no such host, and no other will do. */
  readonly status: number;
}

/** Envoy's response flags that this proxy sets; values are bits of StreamInfo.responseFlags. */
export const ResponseFlag = {
  UH: 1 << 0,
  UF: 1 << 1,
  UO: 1 << 2,
  NR: 1 << 3,
  URX: 1 << 4,
  NC: 1 << 5,
  DT: 1 << 6,
  DC: 1 << 7,
  LH: 1 << 8,
  UT: 1 << 9,
  LR: 1 << 10,
  UR: 1 << 11,
  UC: 1 << 12,
  DI: 1 << 13,
  FI: 1 << 14,
  RL: 1 << 15,
  UAEX: 1 << 16,
  RLSE: 1 << 17,
  IH: 1 << 18,
  SI: 1 << 19,
  DPE: 1 << 20,
  UPE: 1 << 21,
  UMSDR: 1 << 22,
  OM: 1 << 23,
  DF: 1 << 24,
  DO: 1 << 25,
  DR: 1 << 26,
  NFCF: 1 << 27,
  UDO: 1 << 28,
} as const;

// ---- explaining ------------------------------------------------------------------------------------------------

/** One step of a decision. `resource` and `path` address the xDS; a side table knows the YAML behind it. */
export interface TraceStep {
  readonly kind: string;
  readonly text: string;
  readonly matched?: boolean;
  readonly xds?: {
    readonly type: 'listener' | 'route' | 'cluster' | 'endpoint';
    readonly resource: string;
    readonly path: readonly (string | number)[];
  };
}
/** Absent on the hot path: everything that takes one skips all work for it when it is undefined. */
export interface Trace {
  push(step: TraceStep): void;
}

/** A configuration that was not accepted: the resource, the field and the reason. */
export interface Nack {
  readonly typeUrl: string;
  readonly resource: string;
  readonly field: string;
  readonly message: string;
}

// ---- filters -----------------------------------------------------------------------------------------------------

/** `undefined`: go on. `'stop'`: a local reply was sent. A promise: wait for it. */
export type FilterResult = undefined | 'stop' | Promise<undefined | 'stop'>;

/** A request on its way through the filters of one HTTP connection manager. */
export interface HttpStream {
  readonly request: RequestHead;
  readonly info: StreamInfo;
  /** What is to be offered upstream by ALPN in place of the cluster's own names. */
  upstreamAlpn: AlpnChoice | undefined;
  /** Set once the response's head is known. */
  response: ResponseHead | undefined;
  /** Chooses the route on first use and remembers it. */
  route(): RouteDecision;
  /** Forgets the chosen route, because something it depends on changed. */
  clearRoute(): void;
  /** Per-route configuration of a filter (route, then weighted cluster over it, under virtual host), if any. */
  perRoute(filterName: string): unknown;
  sendLocalReply(
    status: number,
    body: string,
    details: string,
    flags: number,
    headers?: readonly [string, string][],
    more?: LocalReplyOptions,
  ): void;
  setMetadata(filter: string, value: JsonObject): void;
  /** The request has a body, or may have one. */
  readonly expectsBody: boolean;
  /** The lowercase protocol that an upgrade asks for, `connect`, or empty. */
  readonly upgrade: string;
  /**
   * Called in `onRequest`, before the promise is returned that waits for it: reads the body into memory, up to `limit`
   * bytes, while what comes after the filter waits. `partial`: there being more is no error, the first bytes are enough.
   * Without `partial` a larger body is answered with a 413, and the promise never settles.
   */
  collectBody(limit: number, partial: boolean): Promise<CollectedBody>;
  /** No body follows the response's head. */
  readonly responseEnds: boolean;
  /** In `onResponse`: sends the body through something; `count` is told what goes in and what comes out; false: enough. */
  transformResponse(transform: Transform, count: (before: number, after: number) => boolean): void;
  /** The same of the request, in `onRequest`. */
  transformRequest(transform: Transform, count: (before: number, after: number) => boolean): void;
  /** The whole body has been read: it goes on with its length, if it came without. */
  declareLength(bytes: number): void;
}

export interface LocalReplyOptions {
  /** What a gRPC client is told, where that is not what the HTTP status means. */
  readonly grpcStatus?: number | undefined;
  /** Response flags that access logs see, and the mappers of local replies do not. */
  readonly flagsForLog?: number;
}

export interface CollectedBody {
  /** All that has been read, which for a part may be more than was asked for. */
  readonly data: Buffer;
  readonly complete: boolean;
}

/**
 * One compiled HTTP filter: shared by all requests of its connection manager, so it keeps nothing per request but what
 * it puts on the stream. Requests go through filters in order, responses in reverse.
 */
export interface HttpFilter {
  readonly name: string;
  /** Only routes that say so have it on. */
  readonly disabled?: boolean;
  onRequest?(stream: HttpStream, trace?: Trace): FilterResult;
  onResponse?(stream: HttpStream): FilterResult;
  /** Body bytes on the way up or down; returning nothing passes them on as they are. */
  onRequestData?(stream: HttpStream, data: Buffer, end: boolean): FilterResult;
  onResponseData?(stream: HttpStream, data: Buffer, end: boolean): FilterResult;
  /** Trailers on the way up or down, where there are some: what is to be sent in their place. */
  onRequestTrailers?(stream: HttpStream, trailers: readonly string[]): readonly string[];
  onResponseTrailers?(stream: HttpStream, trailers: readonly string[]): readonly string[];
  /** A body is over and no trailers follow it. */
  onRequestEnd?(stream: HttpStream): void;
  onResponseEnd?(stream: HttpStream): void;
  onEnd?(stream: HttpStream): void;
}

// ---- routing -----------------------------------------------------------------------------------------------------

/** Where a request goes. Made by `route()` from a compiled route configuration and a request's head. */
export type RouteDecision =
  | { readonly kind: 'none'; readonly virtualHost: VirtualHostProgram | undefined }
  | {
      readonly kind: 'redirect';
      readonly route: RouteEntry;
      readonly status: number;
      readonly location: string;
      /** The request's path after the redirect's rewrite, for logs and header values; undefined: it stays. */
      readonly path?: string | undefined;
    }
  | {
      readonly kind: 'direct';
      readonly route: RouteEntry;
      readonly status: number;
      readonly body: string;
      readonly format?: DirectBody | undefined;
      /** For a status that has one: where the request was sent to. */
      readonly location?: string | undefined;
    }
  | {
      readonly kind: 'cluster';
      readonly route: RouteEntry;
      readonly cluster: string;
      readonly weighted: WeightedClusterEntry | undefined;
    };

/** Makes the body of a direct response; `%LOCAL_REPLY_BODY%` is the body that was configured. */
export interface DirectBody {
  readonly contentType: string;
  readonly text: (source: { readonly info: StreamInfo; readonly request?: RequestHead | undefined }) => string;
}

/** A compiled virtual host. program/ defines the details; others pass it on. */
export interface VirtualHostProgram {
  readonly name: string;
  readonly metadata?: Readonly<Record<string, JsonObject>> | undefined;
  /** `rateLimits`, for rate limit filters. */
  readonly rateLimits?: readonly RateLimitPolicy[];
  readonly perFilter: ReadonlyMap<string, unknown>;
  /** Name of the virtual cluster that a request belongs to; undefined: there are none. */
  readonly virtualCluster?: ((request: RequestHead) => string) | undefined;
  readonly includeRequestAttemptCount: boolean;
  readonly includeAttemptCountInResponse: boolean;
  /** Retries say whether a timeout is why. */
  readonly includeIsTimeoutRetry?: boolean;
}

/** One of a route's `rateLimits`: what a request is counted as, undefined when this is not about it. */
export interface RateLimitPolicy {
  readonly stage: number;
  /** It counts when the stream ends, and nobody waits for the answer. */
  readonly onStreamDone: boolean;
  /** Somebody may switch it off by a runtime key; local limits then never have it. */
  readonly disableKey: string;
  /** Chance in [0, 1] that it counts. */
  readonly enabled: { readonly value: number };
  describe(stream: HttpStream): RateLimitDescriptor | undefined;
}
export interface RateLimitDescriptor {
  readonly entries: readonly { readonly key: string; readonly value: string }[];
  readonly limit: { readonly requestsPerUnit: number; readonly unit: string } | undefined;
  /** Undefined: whatever counts by default. */
  readonly hitsAddend: number | undefined;
}

export interface WeightedClusterEntry {
  readonly name: string;
  /** Of the route and of this cluster, merged; replaces the action's. */
  readonly metadataMatch: Readonly<Record<string, JsonValue>> | undefined;
  readonly perFilter: ReadonlyMap<string, unknown>;
}

export interface RouteEntry {
  readonly name: string;
  /** Its requests are counted under that, too. */
  readonly statPrefix?: string;
  /** `filterMetadata` of the route, by filter name. */
  readonly metadata: Readonly<Record<string, JsonObject>> | undefined;
  readonly virtualHost: VirtualHostProgram;
  /** Index within its virtual host; with the virtual host's index it is the route's place in the xDS. */
  readonly index: number;
  readonly perFilter: ReadonlyMap<string, unknown>;
  readonly action: RouteActionProgram | undefined;
  readonly tracing?: RouteTracing | undefined;
  readonly decorator?: RouteDecorator | undefined;
  /** Applies request header changes and the path and host rewrite, in Envoy's order of specificity. */
  rewriteRequest(
    request: RequestHead,
    stream: HttpStream,
    weighted: WeightedClusterEntry | undefined,
    suppressEnvoyHeaders?: boolean,
  ): void;
  /** Applies response header changes. */
  rewriteResponse(response: ResponseHead, stream: HttpStream, weighted: WeightedClusterEntry | undefined): void;
}

export interface RouteActionProgram {
  /** `maxStreamDuration` is there. */
  readonly limitsStreams: boolean;
  /** `rateLimits`, for rate limit filters. */
  readonly rateLimits?: readonly RateLimitPolicy[];
  /** The virtual host's count too, whatever the route has. */
  readonly includeVhRateLimits?: boolean;
  /** Milliseconds; 0 means none. */
  readonly timeout: number;
  readonly idleTimeout: number | undefined;
  readonly maxStreamDuration: number | undefined;
  readonly retry: RetryProgram | undefined;
  readonly internalRedirect?: InternalRedirectProgram | undefined;
  readonly mirrors: readonly MirrorProgram[];
  readonly hashKey: ((request: RequestHead, stream: HttpStream) => HashResult) | undefined;
  /** Endpoint metadata (filter `envoy.lb`) that subset load balancing must match. */
  readonly metadataMatch: Readonly<Record<string, JsonValue>> | undefined;
  readonly upgrades: ReadonlyMap<
    string,
    {
      readonly enabled: boolean;
      readonly terminateConnect: boolean;
      readonly allowPost?: boolean;
      readonly proxyProtocol?: ProxyProtocolProgram | undefined;
    }
  >;
  readonly maxGrpcTimeout: number | undefined;
  readonly clusterNotFoundStatus: number;
  /** Bytes of a request's body that may be kept for a retry, where the route or its virtual host says so. */
  readonly bufferLimit?: number | undefined;
  readonly priority: 'DEFAULT' | 'HIGH';
  /** `:authority` becomes the chosen endpoint's hostname, when it has one (DNS clusters). */
  readonly autoHostRewrite: boolean;
  readonly appendXForwardedHost: boolean;
  /** Taken from the deadline that `grpc-timeout` gives, in milliseconds. */
  readonly grpcTimeoutOffset: number;
  /** Bounds a `grpc-timeout` that then limits the whole stream (0: as the client says); undefined: does not. */
  readonly grpcTimeoutHeaderMax: number | undefined;
  readonly grpcTimeoutHeaderOffset: number;
}
/** Policies of a cluster for requests whose routes could have them too; absent: the route's count. */
export interface ClusterPolicies {
  readonly retry?: RetryProgram;
  readonly mirrors?: readonly MirrorProgram[];
  readonly hashKey?: RouteActionProgram['hashKey'];
}

/** How far a request has been redirected within the proxy. */
export interface Redirects {
  count: number;
  /** Route left and route taken, of predicates that let no request go there twice. */
  readonly taken: Set<string>;
}
/** Whether a request may go from a route to another. */
export type RedirectPredicate = (
  from: string,
  target: string,
  redirects: Redirects,
  fromTls: boolean,
  toTls: boolean,
) => boolean;
export interface InternalRedirectProgram {
  readonly max: number;
  readonly codes: readonly number[];
  readonly crossScheme: boolean;
  /** Fields of the response that the request gets. */
  readonly copied: readonly string[];
  readonly predicates: readonly RedirectPredicate[];
}
export interface HashResult {
  /** 64-bit key, or undefined when no policy applied. */
  readonly key: bigint | undefined;
  /** A cookie to set on the response, when a cookie policy generated one. */
  readonly setCookie?: string;
}
export interface RetryProgram {
  /** Bit set of RetryOn (http/retry.ts). */
  readonly on: number;
  readonly numRetries: number;
  readonly perTryTimeout: number;
  readonly perTryIdleTimeout: number;
  readonly retriableStatusCodes: readonly number[];
  readonly retriableHeaders: readonly ((response: ResponseHead) => boolean)[];
  /** Undefined: the policy does not say. */
  readonly backOffBase: number | undefined;
  readonly backOffMax: number | undefined;
  /** When none of them matches the request, only a client can ask for retries of it. */
  readonly retriableRequestHeaders: readonly ((request: RequestHead) => boolean)[];
  /** Fields of a response that say how long to wait, the first that can be read counting. */
  readonly resetHeaders: readonly { readonly name: string; readonly unixTime: boolean }[];
  /** A longer wait than this is not believed. */
  readonly resetMax: number;
  readonly avoidPreviousHosts: boolean;
  /** Retries rather go to hosts that this does not say it of. */
  readonly avoids: ((host: UpstreamHost) => boolean) | undefined;
  /** Attempts after which priorities that were tried are left out; undefined: never. */
  readonly leavesPrioritiesAfter?: number | undefined;
  readonly hostSelectionAttempts: number;
}
export interface MirrorProgram {
  /** Empty: a field of the request names it. */
  readonly cluster: string;
  readonly clusterHeader?: string;
  /** Chance in [0, 1]. */
  readonly fraction: number;
  readonly disableShadowHostSuffix: boolean;
  /** Empty: the request's own, with a suffix. */
  readonly host?: string;
  /** Changes of the copy's head. */
  readonly mutations?: readonly HeaderMutations[];
}

// ---- upstream ------------------------------------------------------------------------------------------------------

export type UpstreamSocket = Socket | TLSSocket;

/** What a load balancer may look at. */
export interface LbContext {
  readonly hash: bigint | undefined;
  readonly metadataMatch: Readonly<Record<string, JsonValue>> | undefined;
  /** Hosts already tried by this request, to be avoided if possible. */
  readonly avoid: readonly UpstreamHost[] | undefined;
  readonly avoidAttempts: number;
  /** Says of hosts that they are to be avoided if possible. */
  readonly avoids?: ((host: UpstreamHost) => boolean) | undefined;
  /** Priorities that earlier attempts went to, where these are to be left out. */
  readonly tried?: TriedPriorities | undefined;
  /** A host that is taken before the load balancer is asked. */
  readonly override?: OverrideHost | undefined;
  /** `host:port` meant by the request; for clusters that connect to what is asked for. */
  readonly authority: string;
  readonly priority: 'DEFAULT' | 'HIGH';
  /** What hosts that are named by the request are named in. */
  readonly stream?: { readonly request?: RequestHead | undefined; readonly info: StreamInfo } | undefined;
  /** The connection a PROXY protocol header is to name; none: the proxy's own. */
  readonly client?: ConnectionInfo | undefined;
  /** What is offered by ALPN in place of the cluster's own. */
  readonly alpn?: AlpnChoice | undefined;
}

/** ALPN names for a request: for clusters that speak what the client speaks, and for all others. */
export interface AlpnChoice {
  readonly asDownstream: AlpnOffer | undefined;
  readonly otherwise: AlpnOffer | undefined;
}
export interface AlpnOffer {
  /** Tells offers apart. */
  readonly key: string;
  readonly protocols: readonly string[];
}

/** A cluster in force. Replaced as a whole when its configuration changes; endpoints change within. */
export interface UpstreamCluster {
  /** Unless false, hosts are found by the hash of a request. */
  readonly hashes?: boolean;
  readonly name: string;
  /** Under which it is told of: its name, or another that is configured. */
  readonly statName?: string;
  readonly metadata?: Readonly<Record<string, JsonObject>> | undefined;
  /** Istio's exchange of metadata, with hosts that agree to it. */
  readonly peerExchange?: ExchangeProgram | undefined;
  readonly connectTimeout: number;
  readonly idleTimeout: number;
  readonly maxRequestsPerConnection: number;
  readonly maxConnectionDuration: number;
  /** Null: nobody healthy (UH). A promise where names must be resolved first (dynamic forward proxy). */
  choose(context: LbContext): UpstreamHost | null | Promise<UpstreamHost | null>;
  /** Share of requests that are refused, whatever the hosts. */
  readonly dropOverload?: number;
  /** Its hosts are those that requests name (dynamic forward proxy): null then is a name that does not resolve (DF). */
  readonly resolvesNames?: boolean;
  readonly limits: { readonly DEFAULT: CircuitBreaker; readonly HIGH: CircuitBreaker };
  readonly stats: ClusterStats;
  /** Limits and spelling of HTTP/1 towards its hosts; defaults when absent. */
  readonly http?: {
    readonly maxResponseHeadersBytes: number;
    readonly maxHeadersCount: number;
    readonly headerKeyFormat: 'lowercase' | 'proper-case' | 'preserve-case';
    readonly properOthers?: boolean;
    readonly keepsReason?: boolean;
    readonly policies?: ClusterPolicies | undefined;
    readonly fullUrl?: boolean;
    /** Trailers pass, both ways; they are dropped otherwise. */
    readonly enableTrailers?: boolean;
  };
  /** Connections to a host for each request under way; 1 when absent. */
  readonly preconnectRatio?: number;
}

/** Counts against the thresholds of one priority. `try…` returns false when the breaker is open (flag UO). */
export interface CircuitBreaker {
  tryConnection(): boolean;
  releaseConnection(): void;
  tryPending(): boolean;
  releasePending(): void;
  tryRequest(): boolean;
  releaseRequest(): void;
  tryRetry(): boolean;
  releaseRetry(): void;
}

/** Plain counters, added to directly; Envoy's names in snake case. */
export interface ClusterStats {
  /** Absent where nobody asked for any to be dropped. */
  upstream_rq_drop_overload?: number;
  upstream_rq_total: number;
  upstream_rq_active: number;
  upstream_rq_active_overflow: number;
  upstream_rq_timeout: number;
  upstream_rq_per_try_timeout: number;
  upstream_rq_maintenance_mode: number;
  upstream_internal_redirect_succeeded_total: number;
  upstream_internal_redirect_failed_total: number;
  upstream_rq_per_try_idle_timeout: number;
  upstream_rq_max_duration_reached: number;
  upstream_rq_retry: number;
  upstream_rq_retry_success: number;
  upstream_rq_retry_overflow: number;
  upstream_rq_retry_limit_exceeded: number;
  upstream_rq_retry_backoff_exponential: number;
  upstream_rq_retry_backoff_ratelimited: number;
  upstream_rq_pending_total: number;
  upstream_rq_pending_active: number;
  upstream_rq_pending_overflow: number;
  upstream_rq_pending_failure_eject: number;
  upstream_rq_rx_reset: number;
  upstream_rq_tx_reset: number;
  upstream_rq_cancelled: number;
  retry_or_shadow_abandoned: number;
  upstream_cx_total: number;
  upstream_cx_active: number;
  upstream_cx_http1_total: number;
  upstream_cx_connect_attempts_exceeded: number;
  upstream_cx_connect_fail: number;
  upstream_cx_connect_timeout: number;
  upstream_cx_overflow: number;
  upstream_cx_none_healthy: number;
  upstream_cx_close_notify: number;
  upstream_cx_destroy: number;
  upstream_cx_destroy_local: number;
  upstream_cx_destroy_remote: number;
  upstream_cx_destroy_with_active_rq: number;
  upstream_cx_destroy_local_with_active_rq: number;
  upstream_cx_destroy_remote_with_active_rq: number;
  upstream_cx_idle_timeout: number;
  upstream_cx_max_duration_reached: number;
  upstream_cx_max_requests: number;
  upstream_cx_protocol_error: number;
  upstream_cx_rx_bytes_total: number;
  upstream_cx_tx_bytes_total: number;
  upstream_flow_control_paused_reading_total: number;
  upstream_flow_control_resumed_reading_total: number;
  upstream_flow_control_backed_up_total: number;
  upstream_flow_control_drained_total: number;
  readonly upstream_cx_connect_ms: Histogram;
  readonly upstream_cx_length_ms: Histogram;
  readonly upstream_rq_per_cx: Histogram;
  /** Answers, by who asked; all of them together are the cluster's. */
  readonly external: AnswerStats;
  readonly internal: AnswerStats;
  /** Of hosts that are canaries, which the others count too. */
  readonly canary: AnswerStats;
  /** Answers that were tried again, which the others leave out. */
  readonly retry: ResponseCodes;
}

export interface AnswerStats {
  readonly codes: ResponseCodes;
  readonly upstream_rq_time: Histogram;
}

export interface UpstreamHost {
  readonly address: string;
  readonly port: number;
  /** `address:port`, as logs print it. */
  readonly authority: string;
  readonly hostname: string;
  /** Its `envoy.lb` metadata says so. */
  readonly canary?: boolean;
  /** Its `envoy.lb` metadata. */
  readonly lbMetadata?: JsonObject | undefined;
  /** Of its endpoint, by filter name. */
  readonly metadata?: Readonly<Record<string, JsonObject>> | undefined;
  /** What this side shows by TLS. */
  readonly ownCertificate?: TlsCertificateProgram | undefined;
  readonly cluster: UpstreamCluster;
  /** False once removed from its cluster: idle connections to it are closed. */
  readonly inService: boolean;
  /** Set when the endpoint is an internal listener of this proxy (`envoyInternalAddress`): its name. */
  readonly internalListener?: string;
  /** Requests under way, for least-request. */
  active: number;
  /** Room for the connection pool that http/ keeps per host. */
  pool: HostPool | undefined;
  /**
   * Opens a connection, TLS included where the cluster says so (which side of transportSocketMatches applies is decided
   * per host). `onReady` is called once it may be written to, `onFail` once otherwise. `fallbackAlpn` is offered where the cluster does not say what to offer.
   */
  connect(
    onReady: (socket: UpstreamSocket) => void,
    onFail: (error: ConnectFailure) => void,
    fallbackAlpn?: readonly string[],
  ): void;
  /** Where its health is asked for: a response may say that it is not to get requests any more. */
  readonly checks?: { failImmediately(): void } | undefined;
  /** Where a response may say that the host is degraded. */
  readonly degradation?: { degrade(): void } | undefined;
  /** Outcome of a request or connection, for outlier detection. */
  report(outcome: 'success' | 'gateway-error' | 'server-error' | 'connect-failure' | 'reset' | 'timeout'): void;
}
export interface ConnectFailure {
  readonly kind: 'refused' | 'timeout' | 'tls' | 'reset' | 'overflow';
  /** As Envoy's %UPSTREAM_TRANSPORT_FAILURE_REASON% words it. */
  readonly reason: string;
}
/** What cluster/ needs of a pool: called when a host leaves or the cluster drains. */
export interface HostPool {
  drain(): void;
  close(): void;
}
