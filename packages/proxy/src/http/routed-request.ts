import type { Deps } from '../deps.ts';
import type { RouterProgram } from '../program/types.ts';
import { isGrpc } from '../telemetry/access-log-grpc.ts';
import type { RequestGroup } from '../telemetry/request-groups.ts';
import type {
  CircuitBreaker,
  ConnectionInfo,
  LbContext,
  RequestHead,
  ResponseHead,
  RouteActionProgram,
  RouteDecision,
  RouteEntry,
  UpstreamCluster,
  UpstreamHost,
  WeightedClusterEntry,
} from '../types.ts';
import { alternativeOf, type Charged } from './charge.ts';
import type { StreamRecord } from './info.ts';
import { turnNow } from './turn.ts';
import { RetryState } from './retry-state.ts';
import type { Headers } from './headers.ts';
import type { ActiveStream } from './stream.ts';
import { announceTimeout, NO_TIMEOUTS, requestTimeouts, streamLimit, type RequestTimeouts } from './timeouts.ts';

const ALT_NAME = 'x-envoy-upstream-alt-stat-name';

/**
 * A request for a cluster with what its route makes of it: fields, limits, retries, and what balancers go by. A base of
 * the router's class, not a part of it, so that a request is one object.
 */
export abstract class RoutedRequest implements LbContext, Charged {
  readonly stream: ActiveStream;
  // ---- LbContext
  hash: bigint | undefined;
  metadataMatch: LbContext['metadataMatch'];
  avoid: UpstreamHost[] | undefined;
  avoidAttempts = 0;
  avoids: LbContext['avoids'];
  tried: LbContext['tried'];
  override: LbContext['override'];
  authority = '';
  alpn: LbContext['alpn'];
  readonly priority: 'DEFAULT' | 'HIGH';

  // ---- Charged
  readonly cluster: UpstreamCluster;
  readonly groups: readonly RequestGroup[] | undefined;
  alternative: Charged['alternative'];
  internal = false;
  grpc = false;

  readonly breaker: CircuitBreaker;
  /** A body is coming or may come. */
  expectsBody = false;

  protected readonly route: RouteEntry;
  protected readonly action: RouteActionProgram;
  protected timeouts: RequestTimeouts = NO_TIMEOUTS;
  /** Undefined when nothing is retried any more. */
  protected retry: RetryState | undefined;
  /** Of the answer to a request that takes too long. */
  protected timeoutStatus: 504 | 204 = 504;
  readonly #weighted: WeightedClusterEntry | undefined;
  #setCookie: string | undefined;

  constructor(
    stream: ActiveStream,
    decision: Extract<RouteDecision, { kind: 'cluster' }>,
    cluster: UpstreamCluster,
    action: RouteActionProgram,
    groups: readonly RequestGroup[] | undefined,
  ) {
    this.stream = stream;
    this.cluster = cluster;
    this.route = decision.route;
    this.action = action;
    this.#weighted = decision.weighted;
    this.priority = action.priority;
    this.breaker = cluster.limits[action.priority];
    this.groups = groups;
  }

  get deps(): Deps {
    return this.stream.hcm.deps;
  }
  get router(): RouterProgram {
    return this.stream.hcm.program.router;
  }
  get info(): StreamRecord {
    return this.stream.info;
  }
  get request(): RequestHead {
    return this.stream.request;
  }
  get client(): ConnectionInfo | undefined {
    const { hcm, info } = this.stream;
    return hcm.program.namesClients || info.connection.proxyTlvs !== undefined ? info.connection : undefined;
  }

  /** Makes the request's head what it is for the first attempt. */
  protected prepare(): void {
    const { stream, action } = this;
    const { hcm, info, request } = stream;
    const { headers } = request;
    const { suppressEnvoyHeaders } = hcm.program.router;
    this.grpc = isGrpc(headers.get('content-type'));
    if (action.limitsStreams) stream.setMaxDuration(streamLimit(headers, action, hcm.program.maxStreamDuration));
    this.timeouts = requestTimeouts(headers, action, hcm.program.router);
    announceTimeout(headers, this.timeouts, 0, suppressEnvoyHeaders);
    info.attemptCount = 1;
    const counts = this.route.virtualHost.includeRequestAttemptCount;
    if (counts) headers.set('x-envoy-attempt-count', '1');
    if (headers.addsEnvoyFields) stream.mayCarryEnvoyFields = true;
    const altName = stream.mayCarryEnvoyFields ? headers.get(ALT_NAME) : undefined;
    if (altName !== undefined) {
      headers.remove(ALT_NAME);
      this.alternative = alternativeOf(this.cluster.stats, altName);
    }
    this.route.rewriteRequest(request, stream, this.#weighted, suppressEnvoyHeaders);
    if (headers.addsEnvoyFields) stream.mayCarryEnvoyFields = true;
    this.internal = headers.get('x-envoy-internal') === 'true';
    this.retry = RetryState.of(stream, this.cluster, action, this.breaker, this.groups);
    if (action.idleTimeout !== undefined) stream.setStreamIdle(action.idleTimeout);
    if (action.hashKey !== undefined && this.cluster.hashes !== false) {
      const result = action.hashKey(request, stream);
      this.hash = result.key;
      this.#setCookie = result.setCookie;
    }
    this.metadataMatch = this.#weighted?.metadataMatch ?? action.metadataMatch;
    this.authority = request.authority;
    this.alpn = stream.upstreamAlpn;
    this.override = info.overrideHost;
    this.expectsBody = stream.expectsBody;
    if (action.retry?.avoidPreviousHosts === true) {
      this.avoid = [];
      this.avoidAttempts = action.retry.hostSelectionAttempts;
    }
    if (action.retry?.leavesPrioritiesAfter !== undefined)
      this.tried = { every: action.retry.leavesPrioritiesAfter, hosts: [], left: new Set(), load: undefined };
    if (stream.mayCarryEnvoyFields && headers.has('x-envoy-upstream-rq-timeout-alt-response')) {
      headers.remove('x-envoy-upstream-rq-timeout-alt-response');
      this.timeoutStatus = 204;
    }
  }

  /** Makes the request's head what it is for another attempt. */
  protected prepareAgain(afterTimeout: boolean): void {
    const { hcm, info, request } = this.stream;
    const { virtualHost } = this.route;
    info.attemptCount++;
    this.override = undefined;
    if (virtualHost.includeRequestAttemptCount) request.headers.set('x-envoy-attempt-count', String(info.attemptCount));
    if (virtualHost.includeIsTimeoutRetry === true)
      request.headers.set('x-envoy-is-timeout-retry', String(afterTimeout));
    const { retry } = this.action;
    if (retry?.avoids !== undefined) {
      this.avoids = retry.avoids;
      this.avoidAttempts = retry.hostSelectionAttempts;
    }
    const elapsed = info.requestEndTime < 0 ? 0 : Math.trunc(turnNow(hcm.deps.clock) - info.requestEndTime);
    announceTimeout(request.headers, this.timeouts, elapsed, hcm.program.router.suppressEnvoyHeaders);
  }

  /** Takes out of the fields of an interim response what goes out of those of responses. */
  protected trim(headers: Headers): void {
    this.route.trimResponse?.(headers, this.#weighted);
  }

  /** Makes a response's head what the client gets. */
  protected dress(head: ResponseHead): void {
    const { stream } = this;
    const { info, hcm } = stream;
    info.responseCode = head.status;
    if (!hcm.program.router.suppressEnvoyHeaders && info.requestEndTime >= 0) {
      const time = Math.max(0, Math.trunc(turnNow(hcm.deps.clock) - info.requestEndTime));
      head.headers.set('x-envoy-upstream-service-time', String(time));
    }
    if (this.#setCookie !== undefined) head.headers.add('set-cookie', this.#setCookie);
    stream.response = head;
    info.responseCodeDetails = 'via_upstream';
    this.route.rewriteResponse(head, stream, this.#weighted);
    if (this.route.virtualHost.includeAttemptCountInResponse)
      head.headers.set('x-envoy-attempt-count', String(info.attemptCount));
  }

  /** No more is tried after what is under way. */
  protected retryNoMore(): void {
    this.retry?.release();
    this.retry = undefined;
  }
}
