/**
 * What an HTTP connection manager runs with: its compiled configuration and the parts around it. listener/ builds one
 * per filter chain that ends in a connection manager and calls `serveHttp` (server-connection.ts) for every accepted
 * connection:
 *
 *     serveHttp(socket: UpstreamSocket, info: ConnectionInfo, hcm: HcmRuntime): HttpServerConnection
 *
 * The socket is handed over unread (bytes an inspector has already taken are put back with `unshift`), TLS finished,
 * with noDelay set and allowHalfOpen true. From then on everything on it belongs to the connection.
 */
import type { AccessLogger } from '../telemetry/open-logs.ts';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Deps } from '../deps.ts';
import type { Counter, HcmProgram, RouteConfigProgram } from '../program/types.ts';
import type { RequestGroups } from '../telemetry/request-groups.ts';
import { Histogram } from '../telemetry/histogram.ts';
import type { ConnectionInfo, RequestHead, UpstreamCluster, UpstreamSocket } from '../types.ts';

export interface HcmRuntime {
  readonly program: HcmProgram;
  /** Routes in force: inline ones, or what RDS last brought. Undefined until the first answer: requests get a 404 NR. */
  routes(request: RequestHead): RouteConfigProgram | undefined;
  cluster(name: string): UpstreamCluster | undefined;
  /**
   * Takes over a connection whose CONNECT ended here, as if it had been accepted by the internal listener of that name
   * (`UpstreamHost.internalListener`). Undefined when there is no such listener.
   */
  internalListener(name: string): InternalListener | undefined;
  /** How much of a request may be kept to be sent again, where its route does not say. */
  readonly bufferLimit: number;
  /** Somebody has said that this proxy is not to get requests any more, and the listener heeds it. */
  readonly healthFailed: () => boolean;
  readonly deps: Deps;
  readonly stats: HcmStats;
  readonly listenerAnswers: AnswerCounts;
  readonly codec: CodecStats;
  readonly requestGroups: RequestGroups;
  /** Requests that the proxy makes of its own accord: `http.async-client.rq_total`. */
  readonly asyncRequests: Counter;
  readonly accessLoggers: readonly AccessLogger[];
  /** Of the router's own logs; absent: there are none. */
  readonly upstreamLoggers?: readonly AccessLogger[];
}

/** The socket is as the outer connection left it: unread payload is put back, allowHalfOpen is true. */
export type InternalListener = (socket: Socket | TLSSocket, info: ConnectionInfo) => void;

export interface HttpServerConnection {
  /** What the bytes go through in place of the socket that was given. */
  readonly socket: UpstreamSocket;
  /** Responses say `connection: close` when this says so; an idle connection may bring further requests until then. */
  announceDrain(decision: () => boolean): void;
  /** No further requests: `connection: close` on the next response. An idle connection is closed at once. */
  drain(): void;
  /** Ends everything now; requests under way are logged with DC. */
  close(why?: string): void;
}

export interface AccessLogSink {
  /** A whole line, newline included. Must not throw. */
  write(line: string): void;
}

/** What reading requests counts, under Envoy's names. */
export interface CodecStats {
  dropped_headers_with_underscores: number;
  requests_rejected_with_underscores_in_headers: number;
}

/** Answers of the connection managers with one stat prefix on one listener. */
export interface AnswerCounts {
  downstream_rq_completed: number;
  /** By status class: index 1 to 5; others beyond. */
  readonly downstream_rq_xx: number[];
}

export function newAnswerCounts(): AnswerCounts {
  return { downstream_rq_completed: 0, downstream_rq_xx: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0] };
}

/** Plain counters of one stat prefix, added to directly; Envoy's names. Gauges go up and down. */
export interface HcmStats extends AnswerCounts {
  downstream_cx_total: number;
  downstream_cx_active: number;
  downstream_cx_http1_total: number;
  downstream_cx_http1_active: number;
  downstream_cx_ssl_total: number;
  downstream_cx_ssl_active: number;
  downstream_cx_protocol_error: number;
  downstream_cx_destroy: number;
  downstream_cx_destroy_local: number;
  downstream_cx_destroy_remote: number;
  downstream_cx_destroy_remote_active_rq: number;
  downstream_cx_destroy_local_active_rq: number;
  downstream_cx_idle_timeout: number;
  downstream_cx_delayed_close_timeout: number;
  downstream_cx_max_duration_reached: number;
  downstream_cx_max_requests_reached: number;
  downstream_cx_drain_close: number;
  downstream_cx_upgrades_total: number;
  downstream_cx_upgrades_active: number;
  downstream_cx_rx_bytes_total: number;
  downstream_cx_tx_bytes_total: number;
  downstream_flow_control_paused_reading_total: number;
  downstream_flow_control_resumed_reading_total: number;
  downstream_rq_total: number;
  downstream_rq_active: number;
  downstream_rq_http1_total: number;
  downstream_rq_rx_reset: number;
  downstream_rq_tx_reset: number;
  downstream_rq_timeout: number;
  downstream_rq_header_timeout: number;
  downstream_rq_idle_timeout: number;
  downstream_rq_max_duration_reached: number;
  downstream_rq_too_large: number;
  downstream_rq_ws_on_non_ws_route: number;
  downstream_rq_non_relative_path: number;
  downstream_rq_failed_path_normalization: number;
  downstream_rq_redirected_with_normalized_path: number;
  downstream_rq_rejected_via_ip_detection: number;
  downstream_rq_response_before_rq_complete: number;
  rs_too_large: number;
  no_route: number;
  no_cluster: number;
  rq_redirect: number;
  passthrough_internal_redirect_bad_location: number;
  passthrough_internal_redirect_unsafe_scheme: number;
  passthrough_internal_redirect_too_many_redirects: number;
  passthrough_internal_redirect_no_route: number;
  passthrough_internal_redirect_predicate: number;
  rq_direct_response: number;
  'tracing.random_sampling': number;
  'tracing.service_forced': number;
  'tracing.client_enabled': number;
  'tracing.not_traceable': number;
  'tracing.health_check': number;
  rq_total: number;
  rq_reset_after_downstream_response_started: number;
  readonly downstream_cx_length_ms: Histogram;
  readonly downstream_rq_time: Histogram;
  /** By kind of program: `ios`, `android`. */
  readonly userAgents: Map<string, UserAgentStats>;
}

/** Connections of clients of one kind. */
export class UserAgentStats {
  downstream_cx_total = 0;
  downstream_cx_destroy_remote_active_rq = 0;
  downstream_rq_total = 0;
  readonly downstream_cx_length_ms = new Histogram();
}

export function newHcmStats(): HcmStats {
  return {
    ...newAnswerCounts(),
    downstream_cx_total: 0,
    downstream_cx_active: 0,
    downstream_cx_http1_total: 0,
    downstream_cx_http1_active: 0,
    downstream_cx_ssl_total: 0,
    downstream_cx_ssl_active: 0,
    downstream_cx_protocol_error: 0,
    downstream_cx_destroy: 0,
    downstream_cx_destroy_local: 0,
    downstream_cx_destroy_remote: 0,
    downstream_cx_destroy_remote_active_rq: 0,
    downstream_cx_destroy_local_active_rq: 0,
    downstream_cx_idle_timeout: 0,
    downstream_cx_delayed_close_timeout: 0,
    downstream_cx_max_duration_reached: 0,
    downstream_cx_max_requests_reached: 0,
    downstream_cx_drain_close: 0,
    downstream_cx_upgrades_total: 0,
    downstream_cx_upgrades_active: 0,
    downstream_cx_rx_bytes_total: 0,
    downstream_cx_tx_bytes_total: 0,
    downstream_flow_control_paused_reading_total: 0,
    downstream_flow_control_resumed_reading_total: 0,
    downstream_rq_total: 0,
    downstream_rq_active: 0,
    downstream_rq_http1_total: 0,
    downstream_rq_rx_reset: 0,
    downstream_rq_tx_reset: 0,
    downstream_rq_timeout: 0,
    downstream_rq_header_timeout: 0,
    downstream_rq_idle_timeout: 0,
    downstream_rq_max_duration_reached: 0,
    downstream_rq_too_large: 0,
    downstream_rq_ws_on_non_ws_route: 0,
    downstream_rq_non_relative_path: 0,
    downstream_rq_failed_path_normalization: 0,
    downstream_rq_redirected_with_normalized_path: 0,
    downstream_rq_rejected_via_ip_detection: 0,
    downstream_rq_response_before_rq_complete: 0,
    rs_too_large: 0,
    no_route: 0,
    no_cluster: 0,
    rq_redirect: 0,
    passthrough_internal_redirect_bad_location: 0,
    passthrough_internal_redirect_unsafe_scheme: 0,
    passthrough_internal_redirect_too_many_redirects: 0,
    passthrough_internal_redirect_no_route: 0,
    passthrough_internal_redirect_predicate: 0,
    rq_direct_response: 0,
    'tracing.random_sampling': 0,
    'tracing.service_forced': 0,
    'tracing.client_enabled': 0,
    'tracing.not_traceable': 0,
    'tracing.health_check': 0,
    rq_total: 0,
    rq_reset_after_downstream_response_started: 0,
    downstream_cx_length_ms: new Histogram(),
    downstream_rq_time: new Histogram(),
    userAgents: new Map(),
  };
}
