import type { Deps } from '../deps.ts';
import type { TriedPriorities } from '../lb/previous-priorities.ts';
import type { RouterProgram } from '../program/types.ts';
import { isGrpc } from '../telemetry/access-log-grpc.ts';
import { percentOf } from '../telemetry/tracked.ts';
import type {
  CircuitBreaker,
  ConnectionInfo,
  LbContext,
  RequestHead,
  RetryProgram,
  UpstreamCluster,
  UpstreamHost,
} from '../types.ts';
import type { Attempt } from './attempt.ts';
import type { AttemptLimits } from './attempt-timers.ts';
import { chargeAnswer, type Charged } from './charge.ts';
import { StreamRecord } from './info.ts';
import { turnNow } from './turn.ts';
import type { MirrorSource, StartCopies } from './mirror.ts';
import { RetryState } from './retry-state.ts';
import { announceTimeout, NO_TIMEOUTS, type RequestTimeouts } from './timeouts.ts';

/** What is asked, of whom, and for how long. */
export interface AsyncOptions {
  readonly deps: Deps;
  readonly cluster: UpstreamCluster;
  /** With the fields by which Envoy says that a request is its own. */
  readonly request: RequestHead;
  /** Of the request it is a copy of, or nobody's. */
  readonly connection: ConnectionInfo;
  readonly router: Pick<RouterProgram, 'dynamicStats' | 'suppressEnvoyHeaders' | 'suppressGrpcRequestFailureCodeStats'>;
  readonly upgrade: string;
  /** A body is coming or may come, whose length is not told. */
  readonly expectsBody: boolean;
  /** By which it is tried again, unless its cluster has a policy. Only this one limits attempts. */
  readonly retry: RetryProgram | undefined;
  /** Milliseconds from the end of the request; 0: no end. */
  readonly timeout: number;
  /** Bytes of the body that are kept for another attempt. */
  readonly bufferLimit: number;
  readonly clusters: MirrorSource['clusters'];
  readonly tracing: MirrorSource['tracing'];
  readonly span: MirrorSource['span'];
  readonly copiedTo: MirrorSource['copiedTo'];
  /** Begins the copies that its cluster wants. */
  readonly startCopies: StartCopies;
}

/**
 * A request that no route has a say in, for a cluster: limits, retries, and what balancers go by. What RoutedRequest is to the
 * router's class, to that of the proxy's own requests.
 */
export abstract class UnroutedRequest implements LbContext, Charged, MirrorSource {
  readonly deps: Deps;
  readonly cluster: UpstreamCluster;
  readonly request: RequestHead;
  readonly router: AsyncOptions['router'];
  readonly info: StreamRecord;
  readonly upgrade: string;
  expectsBody: boolean;
  readonly breaker: CircuitBreaker;

  // ---- MirrorSource
  readonly clusters: MirrorSource['clusters'];
  readonly tracing: MirrorSource['tracing'];
  readonly span: MirrorSource['span'];
  readonly copiedTo: MirrorSource['copiedTo'];

  // ---- Charged
  readonly groups = undefined;
  readonly alternative = undefined;
  readonly internal = true;
  readonly grpc: boolean;

  // ---- LbContext
  readonly priority = 'DEFAULT';
  readonly hash = undefined;
  readonly metadataMatch = undefined;
  readonly authority: string;
  readonly avoid: UpstreamHost[] | undefined = undefined;
  readonly avoidAttempts: number;
  avoids: LbContext['avoids'] = undefined;
  readonly tried: TriedPriorities | undefined = undefined;

  protected readonly startCopies: StartCopies;
  protected readonly timeouts: RequestTimeouts;
  protected readonly bufferLimit: number;
  protected readonly limits: AttemptLimits;
  /** Undefined: nothing is tried again, any more. */
  protected retry: RetryState | undefined;
  readonly #policy: RetryProgram | undefined;

  constructor({ deps, cluster, request, retry, timeout, ...options }: AsyncOptions) {
    const { clock } = deps;
    this.deps = deps;
    this.cluster = cluster;
    this.request = request;
    this.grpc = isGrpc(request.headers.get('content-type'));
    this.router = options.router;
    this.upgrade = options.upgrade;
    this.clusters = options.clusters;
    this.tracing = options.tracing;
    this.span = options.span;
    this.copiedTo = options.copiedTo;
    this.startCopies = options.startCopies;
    this.expectsBody = options.expectsBody;
    this.bufferLimit = options.bufferLimit;
    this.authority = request.authority;
    this.breaker = cluster.limits.DEFAULT;
    this.info = new StreamRecord(options.connection, clock.now(), clock.wall());
    const perTry = retry?.perTryTimeout ?? 0;
    this.timeouts = { ...NO_TIMEOUTS, route: timeout, perTry: timeout > 0 && perTry >= timeout ? 0 : perTry };
    this.limits = {
      response: this.timeouts.perTry,
      idle: retry?.perTryIdleTimeout ?? 0,
      duration: cluster.http?.maxStreamDuration ?? 0,
    };
    const policy = cluster.http?.policies?.retry ?? retry;
    this.#policy = policy;
    this.avoidAttempts = policy?.hostSelectionAttempts ?? 0;
    if (policy?.avoidPreviousHosts === true) this.avoid = [];
    if (policy?.leavesPrioritiesAfter !== undefined)
      this.tried = { every: policy.leavesPrioritiesAfter, hosts: [], left: new Set(), load: undefined };
  }

  abstract onCopyFlow(flows: boolean): void;

  get perTryTimeout(): number {
    return this.timeouts.perTry;
  }

  /** Makes its head what it is for the first attempt. */
  protected prepare(): void {
    this.info.attemptCount = 1;
    this.#announce(0);
    if (this.#policy !== undefined)
      this.retry = RetryState.ofPolicy(this.#policy, this.request, this.cluster, this.breaker);
  }

  /** Makes its head what it is for another attempt. */
  protected prepareAgain(): void {
    const { info } = this;
    info.attemptCount++;
    this.avoids = this.#policy?.avoids;
    // As in Envoy, a body that there was none of the first time comes in no chunk the next.
    this.expectsBody = true;
    this.#announce(info.requestEndTime < 0 ? 0 : Math.trunc(turnNow(this.deps.clock) - info.requestEndTime));
  }

  #announce(elapsed: number): void {
    announceTimeout(this.request.headers, this.timeouts, elapsed, this.router.suppressEnvoyHeaders);
  }

  /** No more is tried after what is under way. */
  protected retryNoMore(): void {
    this.retry?.release();
    this.retry = undefined;
  }

  /** An attempt came to nothing, in place of whose answer this is counted. */
  protected charge(status: number, { host, atHost }: Attempt): void {
    if (atHost) chargeAnswer(this, status, host.canary === true, host);
    else chargeAnswer(this, status, false);
  }

  /** Counts how much of its time it has needed. */
  protected chargeBudget(): void {
    const budgets = this.cluster.tracked?.budgets;
    if (budgets === undefined) return;
    const elapsed = turnNow(this.deps.clock) - Math.max(0, this.info.requestEndTime);
    budgets.upstream_rq_timeout_budget_percent_used.record(percentOf(elapsed, this.timeouts.route));
  }
}
