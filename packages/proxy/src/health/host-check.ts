import type { CheckStats } from '../cluster/stats.ts';
import type { ClusterHost } from '../cluster/host.ts';
import type { Deps, Timer } from '../deps.ts';
import type { HealthCheckProgram } from '../program/types.ts';
import type { Checker, CheckerSurroundings, CheckResult } from './checker.ts';
import type { HealthEvent } from './events.ts';
import { GrpcChecker } from './grpc.ts';
import { Http1Checker } from './http1.ts';
import { Http2Checker } from './http2-request.ts';
import { RedisChecker } from './redis.ts';
import { TcpChecker } from './tcp.ts';

/** How a result bears on the state: it stays, it will change if the next ones are alike, or it has changed. */
type Transition = 'unchanged' | 'pending' | 'changed';

type Failure = 'ACTIVE' | 'PASSIVE' | 'NETWORK' | 'NETWORK_TIMEOUT';

export interface HostCheckOptions {
  readonly host: ClusterHost;
  readonly program: HealthCheckProgram;
  readonly deps: Deps;
  readonly stats: CheckStats;
  readonly log: ((host: ClusterHost, event: HealthEvent) => void) | undefined;
  /** A check is over. */
  readonly onResult: (good: boolean) => void;
}

/**
 * One check of one host. It starts out failed; the first result decides at once, later ones must come as many in a row
 * as the thresholds say, unless the host says outright that it is unwell.
 */
export class HostCheck {
  failed = true;
  pending: boolean;
  degraded = false;
  timedOut = false;
  readonly #options: HostCheckOptions;
  readonly #checker: Checker;
  #timer: Timer | undefined;
  #timeout: Timer | undefined;
  #stopped = false;
  #first = true;
  #healthy = 0;
  #unhealthy = 0;

  constructor(options: HostCheckOptions) {
    this.#options = options;
    const { host, program, deps, stats } = options;
    this.pending = host.pendingActiveHc;
    this.#checker = makeChecker({
      host,
      program,
      deps,
      onResult: (result) => this.#take(result),
      stats,
    });
  }

  start(): void {
    const { program, deps } = this.#options;
    if (program.initialJitter === 0) this.#ask();
    else this.#timer = deps.clock.after(this.#jittered(0, program.initialJitter), () => this.#ask());
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timeout?.cancel();
    this.#checker.stop();
    const { stats } = this.#options;
    if (!this.failed) stats.healthy--;
    if (this.degraded) stats.degraded--;
  }

  /** Somebody else has found the host to be unwell. */
  failPassively(): void {
    this.#fail('PASSIVE', false, 0);
  }

  #ask(): void {
    const { stats, program, deps } = this.#options;
    stats.attempt++;
    this.#timeout = deps.clock.after(program.timeout, () => {
      this.#checker.abandon();
      this.#again('unhealthy', this.#fail('NETWORK_TIMEOUT', true, 0));
    });
    this.#checker.ask();
  }

  /** It has found something, good or bad. */
  get decided(): boolean {
    return !this.#first;
  }

  #take(result: CheckResult): void {
    if (result.kind === 'success') this.#again('healthy', this.#succeed(result.degraded));
    else if (result.kind === 'network') this.#again('unhealthy', this.#fail('NETWORK', true, 0));
    else this.#again('unhealthy', this.#fail('ACTIVE', result.retriable, result.status));
  }

  #succeed(degraded: boolean): Transition {
    const { host, program, stats } = this.#options;
    let transition: Transition = 'unchanged';
    this.#unhealthy = 0;
    if (this.failed) {
      if (this.#first || ++this.#healthy === program.healthyThreshold) {
        this.failed = false;
        this.timedOut = false;
        host.excludedViaImmediateHcFail = false;
        stats.healthy++;
        transition = 'changed';
        this.#log({ add_healthy_event: { first_check: this.#first } });
      } else transition = 'pending';
    }
    if (program.logsSuccesses && transition !== 'changed') this.#log({ successful_health_check_event: {} });
    this.pending = false;
    if (degraded !== this.degraded) {
      this.degraded = degraded;
      // Envoy's gauge goes down only with the host itself.
      if (degraded) stats.degraded++;
      this.#log(degraded ? { degraded_healthy_host: {} } : { no_longer_degraded_host: {} });
      if (transition === 'unchanged') transition = 'changed';
    }
    stats.success++;
    this.#first = false;
    this.#options.onResult(true);
    return transition;
  }

  #fail(failure: Failure, retriable: boolean, status: number): Transition {
    const { program, stats } = this.#options;
    const network = failure === 'NETWORK' || failure === 'NETWORK_TIMEOUT';
    let transition: Transition = 'unchanged';
    this.#healthy = 0;
    if (!this.failed) {
      if (!retriable || ++this.#unhealthy === program.unhealthyThreshold) {
        this.failed = true;
        stats.healthy--;
        transition = 'changed';
        this.#log({ eject_unhealthy_event: { failure_type: failure, http_status_code: status } });
      } else transition = 'pending';
    }
    this.timedOut = this.failed && failure === 'NETWORK_TIMEOUT';
    this.pending = false;
    if (this.#first || program.logsFailures) {
      this.#log({
        health_check_failure_event: { failure_type: failure, first_check: this.#first, http_status_code: status },
      });
    }
    stats.failure++;
    if (network) stats.network_failure++;
    else if (failure === 'PASSIVE') stats.passive_failure++;
    this.#first = false;
    this.#options.onResult(false);
    return transition;
  }

  #again(found: 'healthy' | 'unhealthy', transition: Transition): void {
    this.#timeout?.cancel();
    this.#timer?.cancel();
    if (this.#stopped) return;
    const { clock } = this.#options.deps;
    this.#timer = clock.after(this.#interval(found, transition === 'pending'), () => this.#ask());
  }

  /** While nobody sends requests to the cluster its hosts are asked less often. */
  #interval(found: 'healthy' | 'unhealthy', edge: boolean): number {
    const { host, program } = this.#options;
    const idle = host.cluster.stats.upstream_cx_total === 0;
    const base = idle
      ? found === 'healthy' && !edge
        ? program.noTrafficHealthyInterval
        : program.noTrafficInterval
      : found === 'healthy'
        ? edge
          ? program.healthyEdgeInterval
          : program.interval
        : edge
          ? program.unhealthyEdgeInterval
          : program.unhealthyInterval;
    return this.#jittered(base, program.intervalJitter);
  }

  #jittered(base: number, jitter: number): number {
    const { program, deps } = this.#options;
    const { random } = deps;
    return Math.max(1, base + random.float() * program.intervalJitterFraction * base + random.float() * jitter);
  }

  #log(event: HealthEvent): void {
    this.#options.log?.(this.#options.host, event);
  }
}

function makeChecker(surroundings: CheckerSurroundings): Checker {
  const { check } = surroundings.program;
  switch (check.kind) {
    case 'http':
      return check.http2 ? new Http2Checker(surroundings, check) : new Http1Checker(surroundings, check);
    case 'tcp':
      return new TcpChecker(surroundings, check);
    case 'grpc':
      return new GrpcChecker(surroundings, check);
    case 'redis':
      return new RedisChecker(surroundings, check.key);
  }
}
