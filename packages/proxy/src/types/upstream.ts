import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { JsonObject, JsonValue } from '@mizzen/xds';
import type { ExchangeProgram } from '../istio/exchange.ts';
import type { TriedPriorities } from '../lb/previous-priorities.ts';
import type { TlsCertificateProgram } from '../program/types/tls.ts';
import type { Live } from '../runtime/live.ts';
import type { Tracked } from '../telemetry/tracked.ts';
import type { Histogram } from '../telemetry/histogram.ts';
import type { ResponseCodes } from '../telemetry/response-codes.ts';
import type { ConnectionInfo } from './connection.ts';
import type { OverrideHost, RequestHead, ResponseHead, StreamInfo } from './request.ts';
import type { ClusterPolicies } from './route.ts';

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

/** What a host that is named by the request is named in. */
export type NamingContext = Pick<LbContext, 'authority' | 'stream'>;

/** There are too many names, or the resolver said so. */
export interface ForwardProxyFailure {
  readonly details: string;
  readonly overflow?: boolean;
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
  /** Whether there is a host of that address, well or not. */
  hasHost?(address: string): boolean;
  /** Chance that requests are turned away, by a runtime key. */
  readonly maintenance?: Live<number>;
  /** Share of requests that are refused, whatever the hosts. */
  readonly dropOverload?: number;
  /** Its hosts are those that requests name (dynamic forward proxy): why the last that got none did not. */
  readonly noHost?: ForwardProxyFailure;
  /** Of the same: has the name of a request resolved before. Undefined: there are addresses. */
  lookUp?(
    context: NamingContext,
    byFilterState: boolean,
  ): ForwardProxyFailure | undefined | Promise<ForwardProxyFailure | undefined>;
  readonly limits: { readonly DEFAULT: CircuitBreaker; readonly HIGH: CircuitBreaker };
  readonly stats: ClusterStats;
  /** What it counts beside what all clusters do. */
  readonly tracked?: Tracked | undefined;
  /** Limits and spelling of HTTP/1 towards its hosts; defaults when absent. */
  readonly http?: {
    readonly maxResponseHeadersBytes: number;
    readonly maxHeadersCount: number;
    /** Of a request and its answer on a connection; 0: no limit. */
    readonly maxStreamDuration?: number;
    readonly headerKeyFormat: 'lowercase' | 'proper-case' | 'preserve-case';
    readonly properOthers?: boolean;
    readonly keepsReason?: boolean;
    readonly policies?: ClusterPolicies | undefined;
    /** What responses count as errors of their host; undefined: those of the server. */
    readonly isError?: ((response: ResponseHead) => boolean) | undefined;
    readonly fullUrl?: boolean;
    /** Trailers pass, both ways; they are dropped otherwise. */
    readonly enableTrailers?: boolean;
    /** Of responses: a length beside chunks is passed over. */
    readonly allowChunkedLength?: boolean;
  };
  /** Connections to a host for each request under way; 1 when absent. */
  readonly preconnectRatio?: number;
}

/** Counts against the thresholds of one priority. `try…` returns false when the breaker is open (flag UO). */
export interface CircuitBreaker {
  tryConnection(): boolean;
  /** Counts one that is opened though there is no room. */
  forceConnection(): void;
  releaseConnection(): void;
  tryPending(): boolean;
  releasePending(): void;
  tryRequest(): boolean;
  releaseRequest(): void;
  tryRetry(): boolean;
  releaseRetry(): void;
}

/** Plain counters, added to directly; Envoy's names in snake case. */
export interface ClusterStats extends AnswersByKind {
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
  /** The same answers again, by a name that a request gave (`x-envoy-upstream-alt-stat-name`). */
  readonly alternatives: Map<string, AnswersByKind>;
  /** What reports of load tell, and statistics do not. */
  readonly load: { dropped: number };
  /** Answers that were tried again, which the others leave out. */
  readonly retry: ResponseCodes;
}

/** Answers, by who asked; all of them together are the cluster's. */
export interface AnswersByKind {
  readonly external: AnswerStats;
  readonly internal: AnswerStats;
  /** Of hosts that are canaries, which the others count too. */
  readonly canary: AnswerStats;
  /** By the zones of this proxy and of the host (`a.b`), where both are known; the others count them too. */
  readonly zones: Map<string, AnswerStats>;
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
  /** The zones of this proxy and of the host, `a.b`; undefined unless both are known. */
  readonly zones?: string | undefined;
  /** False once removed from its cluster: idle connections to it are closed. */
  readonly inService: boolean;
  /** Set when the endpoint is an internal listener of this proxy (`envoyInternalAddress`): its name. */
  readonly internalListener?: string | undefined;
  /** Its connections are of TLS. */
  readonly secure?: boolean;
  /** It has as many connections as the cluster allows each host. */
  readonly full?: boolean;
  /** Calls back when it is not any more, unless told before that nobody waits. */
  whenRoom?(use: () => void): () => void;
  /** Calls once its connections are to be used no more, until told to leave it. */
  whenDrained?(end: () => void): () => void;
  /** Calls back when its health checks fail, if connections are to end then; undefined or how to be called no more. */
  untilFailure?(end: () => void): (() => void) | undefined;
  /** Requests under way, for least-request. */
  active: number;
  /** Requests that were given a connection to it, and connections used as a whole. */
  issued: number;
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
  /** Where it is an internal listener: counts that the connection goes on there, or that it is not there; `closer`: who ends it. */
  enter?(socket: Socket | undefined, closer: () => 'local' | 'remote'): void;
  /** Where its health is asked for: a response may say that it is not to get requests any more. */
  readonly checks?: { failImmediately(): void } | undefined;
  /** Where a response may say that the host is degraded. */
  readonly degradation?: { degrade(): void } | undefined;
  /** Where hosts are weighed by what they say of their load; true if that is said in these fields. */
  readonly load?: { report(flat: readonly string[]): boolean } | undefined;
  /** Outcome of a request, or of a connection that is used as a whole (`connected`), for outlier detection. */
  report(
    outcome:
      | 'begun'
      | 'success'
      | 'connected'
      | 'gateway-error'
      | 'server-error'
      | 'connect-failure'
      | 'reset'
      | 'timeout',
    /** What is counted, where that does not follow from the outcome. */
    counted?: HostCount,
  ): void;
  /** Counts what `report` left to be counted. */
  count?(what: HostCount): void;
}

/** Of a request: how it ended, or nothing for now. A client error is a success of the host that refused what was asked. */
export type HostCount = 'success' | 'client-error' | 'error' | 'timeout' | 'nothing';

export interface ConnectFailure {
  /** `local`: the address that it was to come from could not be had. */
  readonly kind: 'refused' | 'timeout' | 'tls' | 'reset' | 'local';
  /** As Envoy's %UPSTREAM_TRANSPORT_FAILURE_REASON% words it. */
  readonly reason: string;
}

/** What cluster/ needs of a pool. */
export interface HostPool {
  /** Connections that are there are used no more: when a host leaves or fails, or the cluster drains. */
  drain(): void;
}
