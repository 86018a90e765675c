import { BodyMode } from '../codec/parser.ts';
import type { ResponseParser } from '../codec/response-parser.ts';
import {
  ResponseFlag,
  type CircuitBreaker,
  type DirectBody,
  type ConnectionInfo,
  type InternalRedirectProgram,
  type LbContext,
  type ResponseHead,
  type RouteActionProgram,
  type RouteDecision,
  type RouteEntry,
  type UpstreamCluster,
  type UpstreamHost,
  type WeightedClusterEntry,
} from '../types.ts';
import type { Timer } from '../deps.ts';
import { Attempt } from './attempt.ts';
import { AttemptTimers, type AttemptTimeouts } from './attempt-timers.ts';
import { isGrpc } from '../telemetry/access-log-grpc.ts';
import { routeGroup, virtualClusterGroup, type RequestGroup } from '../telemetry/request-groups.ts';
import { charge, chargeTime } from './charge.ts';
import { connectTcp, type TcpTunnel } from './connect.ts';
import { Headers } from './headers.ts';
import { entered, turnNow } from './io.ts';
import { redirected } from './internal-redirect.ts';
import { RequestBody } from './request-body.ts';
import { mirror, type Shadow } from './mirror.ts';
import { resetDetails, resetOutcome, type ResetReason } from './reset.ts';
import { RetryState } from './retry-state.ts';
import { logTunnel } from './stream-log.ts';
import type { ActiveStream } from './stream.ts';
import { setAuthority } from '../program/route/rewrite.ts';
import { strictCheck } from './strict-check.ts';
import { announceTimeout, NO_TIMEOUTS, requestTimeouts, streamLimit, type RequestTimeouts } from './timeouts.ts';

/** Body bytes that may wait for a connection before the client is told to stop. */
const MAX_WAITING = 256 * 1024;

/**
 * Forwards one request: picks cluster and host, makes attempts, and turns what comes of them into the response. The
 * body is kept only while an attempt has not sent it or may have to be repeated.
 */
export class Router implements LbContext, AttemptTimeouts {
  readonly stream: ActiveStream;
  // ---- LbContext
  hash: bigint | undefined;
  metadataMatch: LbContext['metadataMatch'];
  avoid: UpstreamHost[] | undefined;
  avoidAttempts = 0;
  avoids: LbContext['avoids'];
  tried: LbContext['tried'];
  authority = '';
  alpn: LbContext['alpn'];
  priority: 'DEFAULT' | 'HIGH' = 'DEFAULT';

  /** For attempts. */
  readonly body = new RequestBody();
  /** A body is coming or may come. */
  expectsBody = false;
  /** The request declares its length. */
  hasLength = false;

  breaker!: CircuitBreaker;
  #cluster!: UpstreamCluster;
  #route!: RouteEntry;
  #action!: RouteActionProgram;
  #weighted: WeightedClusterEntry | undefined;
  #attempt: Attempt | undefined;
  /** Host of the attempt before. */
  #hostBefore: UpstreamHost | undefined;
  #tunnel: TcpTunnel | undefined;
  #retry: RetryState | undefined;
  /** The upstream has sent an interim response. */
  #interim = false;
  #redirect: InternalRedirectProgram | undefined;
  #keptForRedirect = false;
  #backOff: Timer | undefined;
  #shadows: Shadow[] | undefined;
  #timeouts: RequestTimeouts = NO_TIMEOUTS;
  #timers: AttemptTimers | undefined;
  #pausedDownstream = false;
  #over = false;
  #setCookie: string | undefined;
  #timeoutStatus: 504 | 204 = 504;
  #lastWasTimeout = false;
  /** The request is said to come from within. */
  #internal = false;
  /** What its route has it counted under, besides the cluster. */
  groups: readonly RequestGroup[] | undefined;
  /** A canary answers. */
  #canary = false;

  constructor(stream: ActiveStream) {
    this.stream = stream;
  }

  get client(): ConnectionInfo | undefined {
    const { hcm, info } = this.stream;
    return hcm.program.namesClients ? info.connection : undefined;
  }

  start(): void {
    const { stream } = this;
    const decision = stream.route();
    const { stats } = stream.hcm;
    stats.rq_total++;
    switch (decision.kind) {
      case 'none':
        stats.no_route++;
        this.#over = true;
        stream.sendLocalReply(404, '', 'route_not_found', ResponseFlag.NR);
        return;
      case 'redirect':
        // As in Envoy, where `rq_redirect` is for redirects that are followed here.
        stats.rq_direct_response++;
        this.#over = true;
        if (decision.path !== undefined) this.#rewritePath(decision.path);
        this.#direct(decision.route, decision.status, '', [['location', decision.location]]);
        return;
      case 'direct':
        stats.rq_direct_response++;
        this.#over = true;
        this.#direct(
          decision.route,
          decision.status,
          decision.body,
          decision.location === undefined ? [] : [['location', decision.location]],
          decision.format,
        );
        return;
      case 'cluster':
        this.#forward(decision);
    }
  }

  #rewritePath(path: string): void {
    const { request, hcm } = this.stream;
    if (!hcm.program.router.suppressEnvoyHeaders) request.headers.set('x-envoy-original-path', request.path);
    request.path = path;
  }

  #direct(route: RouteEntry, status: number, given: string, fields: [string, string][], format?: DirectBody): void {
    const { stream } = this;
    let body = given;
    if (format !== undefined) {
      stream.info.localReplyBody = given;
      body = format.text(stream);
      fields.push(['content-type', format.contentType]);
    }
    const head: ResponseHead = { status, headers: new Headers(fields.flat()) };
    route.rewriteResponse(head, stream, undefined);
    stream.sendLocalReply(status, body, 'direct_response', 0, head.headers.entries());
  }

  #forward(decision: Extract<RouteDecision, { kind: 'cluster' }>): void {
    const { stream } = this;
    const { hcm, info, request } = stream;
    const { route } = decision;
    let action = route.action!;
    const cluster = hcm.cluster(decision.cluster);
    if (cluster === undefined) {
      hcm.stats.no_cluster++;
      this.#over = true;
      stream.sendLocalReply(action.clusterNotFoundStatus, '', 'cluster_not_found', ResponseFlag.NC);
      return;
    }
    const policies = cluster.http?.policies;
    if (policies !== undefined) action = { ...action, ...policies };
    this.#cluster = cluster;
    this.#route = route;
    this.#action = action;
    this.#weighted = decision.weighted;
    info.upstreamCluster = cluster.name;
    this.priority = action.priority;
    this.breaker = cluster.limits[action.priority];
    const { virtualCluster } = route.virtualHost;
    if (virtualCluster !== undefined) info.virtualClusterName = virtualCluster(request);
    this.groups = this.#findGroups(route);
    const { suppressEnvoyHeaders } = hcm.program.router;
    const { headers } = request;
    const bad = stream.mayCarryEnvoyFields ? strictCheck(headers, hcm.program.router.strictCheckHeaders) : undefined;
    if (bad !== undefined) {
      this.#over = true;
      stream.sendLocalReply(400, bad.body, bad.details, ResponseFlag.IH);
      return;
    }
    const { runtime } = hcm.program.router;
    if (runtime !== undefined && hcm.deps.random.float() < runtime.maintenance(cluster.name)) {
      this.#over = true;
      cluster.stats.upstream_rq_maintenance_mode++;
      charge(cluster.stats, 503, headers.get('x-envoy-internal') === 'true', false);
      const fields: [string, string][] = suppressEnvoyHeaders ? [] : [['x-envoy-overloaded', 'true']];
      this.#reply(503, 'maintenance mode', 'maintenance_mode', ResponseFlag.UO, fields);
      return;
    }
    const drop = cluster.dropOverload ?? 0;
    if (drop > 0 && hcm.deps.random.float() < drop) {
      this.#over = true;
      cluster.stats.upstream_rq_drop_overload = (cluster.stats.upstream_rq_drop_overload ?? 0) + 1;
      charge(cluster.stats, 503, headers.get('x-envoy-internal') === 'true', false);
      const [kind, flag] =
        drop === 1 ? ['unconditional drop overload', ResponseFlag.UDO] : ['drop overload', ResponseFlag.DO];
      const name = `x-envoy-${kind.replaceAll(' ', '-')}`;
      this.#reply(503, kind, kind.replaceAll(' ', '_'), flag, suppressEnvoyHeaders ? [] : [[name, 'true']]);
      return;
    }
    if (action.limitsStreams) stream.setMaxDuration(streamLimit(headers, action, hcm.program.maxStreamDuration));
    const timeouts = requestTimeouts(headers, action, hcm.program.router);
    this.#timeouts = timeouts;
    announceTimeout(headers, timeouts, 0, suppressEnvoyHeaders);
    info.attemptCount = 1;
    const counts = route.virtualHost.includeRequestAttemptCount;
    if (counts) headers.set('x-envoy-attempt-count', '1');
    route.rewriteRequest(request, stream, decision.weighted, suppressEnvoyHeaders);
    this.#internal = headers.get('x-envoy-internal') === 'true';
    this.#retry = RetryState.of(stream, cluster, action, this.breaker, this.groups);
    if (action.idleTimeout !== undefined) stream.setStreamIdle(action.idleTimeout);
    const limits = {
      response: timeouts.perTry,
      idle: action.retry?.perTryIdleTimeout ?? 0,
      duration: timeouts.upstream,
    };
    this.#redirect = action.internalRedirect;
    this.#keptForRedirect = this.#redirect !== undefined;
    this.#timers = AttemptTimers.of(stream, limits, this);
    if (action.hashKey !== undefined && cluster.hashes !== false) {
      const result = action.hashKey(request, stream);
      this.hash = result.key;
      this.#setCookie = result.setCookie;
    }
    this.metadataMatch = decision.weighted?.metadataMatch ?? action.metadataMatch;
    this.authority = request.authority;
    this.alpn = stream.upstreamAlpn;
    this.expectsBody = stream.expectsBody;
    this.hasLength = stream.hasLength;
    if (action.retry?.avoidPreviousHosts === true) {
      this.avoid = [];
      this.avoidAttempts = action.retry.hostSelectionAttempts;
    }
    if (action.retry?.leavesPrioritiesAfter !== undefined)
      this.tried = { every: action.retry.leavesPrioritiesAfter, hosts: [], left: new Set(), load: undefined };
    if (stream.mayCarryEnvoyFields && headers.has('x-envoy-upstream-rq-timeout-alt-response')) {
      headers.remove('x-envoy-upstream-rq-timeout-alt-response');
      this.#timeoutStatus = 204;
    }
    this.#choose();
  }

  /** Under which its route has the request counted, besides the cluster. */
  #findGroups(route: RouteEntry): RequestGroup[] | undefined {
    const { virtualHost, statPrefix } = route;
    const cluster = virtualHost.virtualCluster?.(this.stream.request);
    if (cluster === undefined && statPrefix === undefined) return undefined;
    const { requestGroups } = this.stream.hcm;
    const groups: RequestGroup[] = [];
    if (cluster !== undefined) groups.push(requestGroups.get(virtualClusterGroup(virtualHost.name, cluster)));
    if (statPrefix !== undefined) groups.push(requestGroups.get(routeGroup(virtualHost.name, statPrefix)));
    return groups;
  }

  #charge(status: number, canary: boolean): void {
    const { dynamicStats, suppressGrpcRequestFailureCodeStats } = this.stream.hcm.program.router;
    if (!dynamicStats) return;
    const told = !(suppressGrpcRequestFailureCodeStats && isGrpc(this.stream.request.headers.get('content-type')));
    charge(this.#cluster.stats, told ? status : undefined, this.#internal, canary);
    if (this.groups === undefined) return;
    for (const { codes } of this.groups) {
      if (told) codes.charge(status);
      else codes.chargeUntold();
    }
  }

  #chargeTime(ms: number): void {
    if (!this.stream.hcm.program.router.dynamicStats) return;
    chargeTime(this.#cluster.stats, ms, this.#internal, this.#canary);
    if (this.groups !== undefined)
      for (const group of this.groups) group.upstream_rq_time.record(ms > 0 ? Math.trunc(ms) : 0);
  }

  #startShadows(): void {
    const { stream } = this;
    for (const program of this.#action.mirrors) {
      const shadow = mirror(stream, program, this.#timeouts.route);
      if (shadow === undefined) continue;
      (this.#shadows ??= []).push(shadow);
      for (const part of this.body.parts) shadow.data(part);
      if (this.body.complete) shadow.end();
    }
  }

  /** A reply to a request that has got as far as its cluster. */
  #reply(status: number, body: string, details: string, flags: number, fields?: readonly [string, string][]): void {
    const { stream } = this;
    const counts = this.#route.virtualHost.includeAttemptCountInResponse;
    const more: [string, string][] = counts ? [['x-envoy-attempt-count', String(stream.info.attemptCount)]] : [];
    stream.sendLocalReply(status, body, details, flags, [...(fields ?? []), ...more]);
  }

  // ---- attempts

  #choose(): void {
    const host = this.#cluster.choose(this);
    if (host instanceof Promise) {
      host.then(
        (chosen) => entered(() => this.#chosen(chosen)),
        () => entered(() => this.#chosen(null)),
      );
      return;
    }
    this.#chosen(host);
  }

  #chosen(host: UpstreamHost | null): void {
    if (this.#over) return;
    const { stream } = this;
    if (host === null) {
      this.#over = true;
      if (this.#cluster.resolvesNames === true) {
        this.#reply(503, 'DNS resolution failure', 'dns_resolution_failure', ResponseFlag.DF);
        return;
      }
      this.#cluster.stats.upstream_cx_none_healthy++;
      this.#charge(503, false);
      this.#reply(503, 'no healthy upstream', 'no_healthy_upstream', ResponseFlag.UH);
      return;
    }
    this.#hostBefore = stream.info.upstreamTarget;
    stream.info.upstreamHost = host.authority;
    stream.info.upstreamTarget = host;
    stream.info.upstreamLocalAddress = '';
    this.avoid?.push(host);
    this.tried?.hosts.push(host);
    if (this.#action.autoHostRewrite && host.hostname !== '' && host.hostname !== stream.request.authority) {
      const { suppressEnvoyHeaders } = stream.hcm.program.router;
      setAuthority(stream.request, host.hostname, this.#action.appendXForwardedHost, !suppressEnvoyHeaders);
    }
    const connect = this.#endsConnect ? this.#action.upgrades.get('connect') : undefined;
    if (connect !== undefined) {
      this.#tunnel = connectTcp(this, host, connect.proxyProtocol);
      return;
    }
    const span = stream.tracing?.attempt(this.#cluster.statName ?? this.#cluster.name, stream.info.attemptCount);
    const attempt = new Attempt(this, host, span);
    this.#attempt = attempt;
    this.#timers?.attemptBegins(this.body.complete);
    // What is kept of the body is gone once it has been sent.
    const mirrors = stream.info.attemptCount === 1 && this.#action.mirrors.length > 0;
    if (mirrors && this.body.parts.length > 0) this.#startShadows();
    attempt.start();
    if (mirrors && this.#shadows === undefined && !this.#over) this.#startShadows();
  }

  #retryLater(): void {
    const { stream } = this;
    const attempt = this.#attempt;
    this.#attempt = undefined;
    this.#timers?.attemptEnds();
    attempt?.reset();
    this.#backOff = stream.hcm.deps.clock.after(this.#retry!.nextBackOff(stream.hcm.deps.random), () => {
      this.#backOff = undefined;
      entered(() => {
        if (this.#over) return;
        this.#again();
      });
    });
  }

  #again(): void {
    const { hcm, info, request } = this.stream;
    info.attemptCount++;
    if (this.#route.virtualHost.includeRequestAttemptCount) {
      request.headers.set('x-envoy-attempt-count', String(info.attemptCount));
    }
    if (this.#route.virtualHost.includeIsTimeoutRetry === true)
      request.headers.set('x-envoy-is-timeout-retry', String(this.#lastWasTimeout));
    this.#lastWasTimeout = false;
    const { retry } = this.#action;
    if (retry?.avoids !== undefined) {
      this.avoids = retry.avoids;
      this.avoidAttempts = retry.hostSelectionAttempts;
    }
    const elapsed = info.requestEndTime < 0 ? 0 : Math.trunc(turnNow(hcm.deps.clock) - info.requestEndTime);
    announceTimeout(request.headers, this.#timeouts, elapsed, hcm.program.router.suppressEnvoyHeaders);
    this.#choose();
  }

  /** An attempt ended without a response, or within one. */
  onReset(attempt: Attempt, reason: ResetReason, transport: string): void {
    if (this.#over || attempt !== this.#attempt) return;
    const { stream } = this;
    const outcome = resetOutcome(reason);
    if (reason === 'overflow') {
      // It has not been tried.
      stream.info.upstreamHost = this.#hostBefore?.authority ?? '';
      stream.info.upstreamTarget = this.#hostBefore;
    } else if (attempt.connected) attempt.host.report('reset');
    if (stream.responseStarted) {
      this.#end();
      stream.hcm.stats.rq_reset_after_downstream_response_started++;
      stream.info.responseFlags |= outcome.flag;
      stream.reset(resetDetails('upstream_reset_after_response_started', reason, ''));
      return;
    }
    stream.info.upstreamFailureReason = transport;
    const retried = this.#retry?.onReset(reason, attempt.begun) ?? 'no';
    if (retried === 'yes') {
      this.#retryLater();
      return;
    }
    stream.info.responseFlags |= flagOf(retried);
    const text = stream.info.attemptCount > 1 ? 'retried and the latest reset reason' : 'reset reason';
    this.#giveUp(
      outcome.status,
      `upstream connect error or disconnect/reset before headers. ${text}: ${reason}`,
      resetDetails(
        this.#interim ? 'upstream_reset_after_response_started' : 'upstream_reset_before_response_started',
        reason,
        transport,
      ),
      outcome.flag,
      reason === 'overflow' && !stream.hcm.program.router.suppressEnvoyHeaders
        ? [['x-envoy-overloaded', 'true']]
        : undefined,
    );
  }

  /** After an interim response nothing is tried again, whether or not the client gets to see it. */
  onInterim(parser: ResponseParser): void {
    this.#charge(parser.status, false);
    this.#interim = true;
    this.#retry?.release();
    this.#retry = undefined;
    if (this.stream.hcm.program.proxy100Continue && !this.stream.responseStarted)
      this.stream.passInterim(parser.status, parser.flat);
  }

  onResponseHead(attempt: Attempt, parser: ResponseParser): void {
    if (this.#over || attempt !== this.#attempt) return;
    const { stream } = this;
    const { status } = parser;
    const { stats } = this.#cluster;
    const { checks, degradation } = attempt.host;
    if (checks !== undefined && parser.flat.includes('x-envoy-immediate-health-check-fail')) checks.failImmediately();
    if (degradation !== undefined && parser.flat.includes('x-envoy-degraded')) degradation.degrade();
    attempt.host.report(status < 500 ? 'success' : status >= 502 && status <= 504 ? 'gateway-error' : 'server-error');
    const head: ResponseHead = { status, headers: new Headers(parser.flat) };
    head.headers.spelling = parser.spelling;
    if (this.#retry !== undefined) {
      const verdict = this.#retry.onResponse(head, stream.hcm.deps.clock);
      if (verdict === 'yes') {
        stats.retry.charge(status);
        this.#retryLater();
        return;
      }
      stream.info.responseFlags |= flagOf(verdict);
    }
    stream.info.upstreamResponseTime = turnNow(stream.hcm.deps.clock);
    this.#timers?.responseBegins();
    if (this.#redirect?.codes.includes(status) === true && this.#followRedirect(this.#redirect, head)) return;
    const upgraded = stream.upgrade !== '' && parser.opensTunnel;
    if (upgraded) {
      if (status === 101) keepUpgrade(head.headers, parser);
      stream.tunnel = true;
    } else if (stream.upgrade === 'websocket' && status < 400 && status !== 101) {
      this.#stop();
      stream.sendLocalReply(status, '', 'websocket_handshake_unsuccessful', 0, head.headers.entries());
      return;
    }
    this.#canary = attempt.host.canary === true || head.headers.get('x-envoy-upstream-canary') === 'true';
    this.#charge(status, this.#canary);
    const { info } = stream;
    info.responseCode = status;
    if (!stream.hcm.program.router.suppressEnvoyHeaders && info.requestEndTime >= 0) {
      const time = Math.max(0, Math.trunc(turnNow(stream.hcm.deps.clock) - info.requestEndTime));
      head.headers.set('x-envoy-upstream-service-time', String(time));
    }
    if (this.#setCookie !== undefined) head.headers.add('set-cookie', this.#setCookie);
    stream.response = head;
    this.#route.rewriteResponse(head, stream, this.#weighted);
    if (this.#route.virtualHost.includeAttemptCountInResponse)
      head.headers.set('x-envoy-attempt-count', String(info.attemptCount));
    info.responseCodeDetails = 'via_upstream';
    if (!upgraded) this.body.forget();
    stream.sendResponse(head, parser.bodyMode === BodyMode.NONE);
    if (upgraded) {
      logTunnel(stream);
      attempt.sendBody();
    }
  }

  /** The response is not for the client: the request goes where it says. */
  #followRedirect(policy: InternalRedirectProgram, head: ResponseHead): boolean {
    const { stream, body } = this;
    const { stats } = this.#cluster;
    const next =
      stream.requestComplete && this.#keptForRedirect ? redirected(stream, this.#route.name, policy, head) : undefined;
    if (next === undefined) {
      stats.upstream_internal_redirect_failed_total++;
      return false;
    }
    if (next.method !== stream.request.method) body.forget();
    stats.upstream_internal_redirect_succeeded_total++;
    stream.goElsewhere(head, next, body);
    return true;
  }

  onResponseData(data: Buffer): void {
    if (this.#over) return;
    this.#timers?.moved();
    this.stream.sendData(data);
  }

  onResponseEnd(attempt: Attempt, trailers: string[] | undefined): void {
    if (this.#over || attempt !== this.#attempt) return;
    const { info, hcm } = this.stream;
    if (info.requestEndTime >= 0) this.#chargeTime(turnNow(hcm.deps.clock) - info.requestEndTime);
    this.stream.sendEnd(trailers);
  }

  // ---- the request's body

  onRequestData(data: Buffer): void {
    if (this.#over) return;
    if (this.#tunnel !== undefined) {
      this.#tunnel.write(data);
      return;
    }
    if (this.#shadows !== undefined) for (const shadow of this.#shadows) shadow.data(data);
    this.#timers?.moved();
    const attempt = this.#attempt;
    if (!this.#keepsBody && attempt?.takesBody === true) {
      attempt.sendPart(data);
      return;
    }
    const { body } = this;
    body.add(data);
    if (this.#keepsBody && body.bytes > this.#keptBytes()) {
      // Too much to keep: what is under way is the last try.
      this.#cluster.stats.retry_or_shadow_abandoned++;
      this.#retry?.release();
      this.#retry = undefined;
      this.#keptForRedirect = false;
    }
    if (attempt !== undefined) attempt.sendBody();
    if (body.bytes > MAX_WAITING && (attempt === undefined || !attempt.connected)) this.pauseDownstream();
  }

  onRequestEnd(trailers: readonly string[] | undefined): void {
    this.body.complete = true;
    this.body.trailers = trailers;
    if (this.#over) return;
    if (this.#tunnel !== undefined) {
      this.#tunnel.end();
      return;
    }
    if (this.#shadows !== undefined) for (const shadow of this.#shadows) shadow.end();
    const { connection, hcm, upgrade } = this.stream;
    if (upgrade === '') {
      const { route } = this.#timeouts;
      if (route > 0) connection.routeDeadline.set(turnNow(hcm.deps.clock) + route);
      if (this.#attempt !== undefined) this.#timers?.requestComplete();
    }
    this.#attempt?.sendBody();
  }

  /** The request is a CONNECT, or means one, and ends here. */
  get #endsConnect(): boolean {
    const { upgrade, request } = this.stream;
    if (upgrade !== 'connect' && request.method !== 'POST') return false;
    const connect = this.#action.upgrades.get('connect');
    return connect?.terminateConnect === true && (upgrade === 'connect' || connect.allowPost === true);
  }

  /** The body may have to be sent again. */
  get #keepsBody(): boolean {
    return this.#retry !== undefined || this.#keptForRedirect;
  }

  /** How much of the body may wait for a retry. */
  #keptBytes(): number {
    return this.#action.bufferLimit ?? this.stream.hcm.bufferLimit;
  }

  /** An attempt has sent all parts of the body; how many of those are still there. */
  bodySent(): number {
    const { body } = this;
    if (!this.#keepsBody || this.stream.responseStarted) body.forget();
    return body.parts.length;
  }

  // ---- flow

  pauseDownstream(): void {
    if (this.#pausedDownstream) return;
    this.#pausedDownstream = true;
    this.stream.hcm.stats.downstream_flow_control_paused_reading_total++;
    this.stream.connection.pause();
  }
  resumeDownstream(): void {
    if (!this.#pausedDownstream) return;
    this.#pausedDownstream = false;
    this.stream.hcm.stats.downstream_flow_control_resumed_reading_total++;
    this.stream.connection.resume();
  }
  pauseUpstream(): void {
    this.#attempt?.pause();
    this.#tunnel?.pause();
  }
  resumeUpstream(): void {
    this.#attempt?.resume();
    this.#tunnel?.resume();
  }

  // ---- ends

  onTimeout(): void {
    if (this.#over) return;
    const { stream } = this;
    this.#cluster.stats.upstream_rq_timeout++;
    if (this.groups !== undefined) for (const group of this.groups) group.upstream_rq_timeout++;
    this.#attempt?.host.report('timeout');
    if (stream.responseStarted) {
      this.#stop();
      this.stream.hcm.stats.rq_reset_after_downstream_response_started++;
      stream.info.responseFlags |= ResponseFlag.UT;
      stream.reset('response_timeout');
      return;
    }
    this.#timedOut('response_timeout', ResponseFlag.UT);
  }

  onTryDuration(): void {
    if (this.#over) return;
    this.#cluster.stats.upstream_rq_max_duration_reached++;
    const { stream } = this;
    if (stream.responseStarted) {
      this.#stop();
      this.stream.hcm.stats.rq_reset_after_downstream_response_started++;
      stream.info.responseFlags |= ResponseFlag.UMSDR;
      stream.reset('upstream_max_stream_duration_reached');
      return;
    }
    this.#giveUp(
      504,
      'upstream max stream duration reached',
      'upstream_max_stream_duration_reached',
      ResponseFlag.UMSDR,
      undefined,
    );
  }

  onTryTimeout(): void {
    this.#cluster.stats.upstream_rq_per_try_timeout++;
    this.#attempt?.timedOut();
    this.#onTryOver('upstream_per_try_timeout', ResponseFlag.UT);
  }

  onTryIdle(): void {
    this.#cluster.stats.upstream_rq_per_try_idle_timeout++;
    if (this.stream.responseStarted) {
      this.#stop();
      this.stream.hcm.stats.rq_reset_after_downstream_response_started++;
      this.stream.info.responseFlags |= ResponseFlag.SI;
      this.stream.reset('upstream_per_try_idle_timeout');
    } else {
      this.#onTryOver('upstream_per_try_idle_timeout', ResponseFlag.SI);
    }
  }

  #onTryOver(details: string, flag: number): void {
    const attempt = this.#attempt;
    if (this.#over || attempt === undefined) return;
    attempt.host.report('timeout');
    if (attempt.responded) return;
    const verdict = this.#retry?.onTryTimeout() ?? 'no';
    if (verdict === 'yes') {
      this.#retryLater();
      this.#lastWasTimeout = true;
      return;
    }
    this.stream.info.responseFlags |= flagOf(verdict);
    this.#timedOut(details, flag);
  }

  #timedOut(details: string, flag: number): void {
    const status = this.#timeoutStatus;
    this.#giveUp(status, status === 504 ? 'upstream request timeout' : '', details, flag, undefined);
  }

  #giveUp(status: number, body: string, details: string, flags: number, fields: [string, string][] | undefined): void {
    this.#stop();
    this.#charge(status, this.#attempt?.host.canary === true);
    this.#reply(status, body, details, flags, fields);
  }

  /** The stream needs nothing more of this. */
  cancel(): void {
    this.#stop();
  }

  onStreamOver(): void {
    this.#stop();
  }

  #stop(): void {
    if (this.#over) return;
    this.#end();
    const attempt = this.#attempt;
    if (attempt !== undefined && !attempt.over) attempt.reset();
    this.#tunnel?.close();
  }

  #end(): void {
    this.#over = true;
    this.#backOff?.cancel();
    this.#timers?.attemptEnds();
    this.#retry?.release();
    this.resumeDownstream();
    if (!this.body.complete && this.#shadows !== undefined) for (const shadow of this.#shadows) shadow.cancel();
  }
}

function flagOf(verdict: 'yes' | 'no' | 'overflow' | 'exhausted'): number {
  return verdict === 'overflow' ? ResponseFlag.UO : verdict === 'exhausted' ? ResponseFlag.URX : 0;
}

function keepUpgrade(headers: Headers, parser: ResponseParser): void {
  const { flat } = headers;
  if (parser.connectionAt <= parser.upgradeAt) {
    flat.splice(parser.upgradeAt, 0, 'upgrade', parser.upgrade);
    flat.splice(parser.connectionAt, 0, 'connection', parser.connection);
  } else {
    flat.splice(parser.connectionAt, 0, 'connection', parser.connection);
    flat.splice(parser.upgradeAt, 0, 'upgrade', parser.upgrade);
  }
}
