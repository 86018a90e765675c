import type { Cluster } from '../cluster/cluster.ts';
import type { Discovery } from '../cluster/dns.ts';
import type { ClusterHost, HostMonitor, HostOutcome } from '../cluster/host.ts';
import type { Deps, Timer } from '../deps.ts';
import type { OutlierProgram } from '../program/types.ts';
import type { JudgedHost, OutlierLog, Reason } from './outlier-log.ts';
import {
  failureOutliers,
  NOT_JUDGED,
  shownRate,
  successOutliers,
  type IntervalCounts,
  type RateJudgement,
} from './outlier-rates.ts';

/** What the hosts of a cluster did in the last interval, of requests and of attempts to make them. */
export interface SuccessRates {
  readonly external: RateJudgement;
  readonly local: RateJudgement;
}

export interface OutlierWatch extends Discovery {
  /** An active check of a host is over. */
  checked(host: ClusterHost, good: boolean): void;
}

/** Follows what a cluster's hosts answer and takes those out for a while that fail too much. */
export function watchOutliers(
  cluster: Cluster,
  program: OutlierProgram,
  deps: Deps,
  log: OutlierLog | undefined,
): OutlierWatch {
  const detector = new OutlierDetector(cluster, program, deps, log);
  const unwatch = cluster.watch(() => detector.attach());
  detector.attach();
  cluster.outliers = detector;
  return {
    checked: (host, good) => detector.checked(host, good),
    stop: () => {
      unwatch();
      detector.stop();
    },
  };
}

/** Older names, which count what is found whether or not anything comes of it. */
const OLDER: Partial<Record<Reason, string>> = {
  consecutive_5xx: 'ejections_consecutive_5xx',
  success_rate: 'ejections_success_rate',
  local_origin_success_rate: 'ejections_success_rate',
};

class OutlierDetector implements SuccessRates {
  readonly program: OutlierProgram;
  readonly #cluster: Cluster;
  readonly #deps: Deps;
  readonly #log: OutlierLog | undefined;
  #timer: Timer | undefined;
  external = NOT_JUDGED;
  local = NOT_JUDGED;

  constructor(cluster: Cluster, program: OutlierProgram, deps: Deps, log: OutlierLog | undefined) {
    this.#cluster = cluster;
    this.program = program;
    this.#deps = deps;
    this.#log = log;
    this.#tick();
  }

  /** A host that passes its checks is not kept out for what it did before. */
  checked(host: ClusterHost, good: boolean): void {
    if (!good || !host.ejected || !this.program.successfulActiveHealthCheckUnejectHost) return;
    if (!(host.monitor instanceof Monitor)) return;
    host.monitor.letIn(this.#deps.clock.now());
    this.#returned(host.monitor);
    this.#cluster.healthChanged();
  }

  /** Gives hosts that are new a monitor, and recounts those that are out. */
  attach(): void {
    for (const host of this.#cluster.hosts) {
      if (host.monitor !== undefined) continue;
      const monitor = new Monitor(host, this);
      host.monitor = monitor;
      if (this.program.detectDegradedHosts) host.degradation = { degrade: () => this.degraded(monitor) };
    }
    this.#cluster.stats.outlier_detection.ejections_active = this.#ejected();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** The host's monitor found it to be failing. `enforcing` is the chance that something comes of it. */
  detected(monitor: Monitor, reason: Reason, enforcing: number): void {
    if (monitor.host.ejected) return;
    const stats = this.#cluster.stats.outlier_detection;
    stats[`ejections_detected_${reason}`]!++;
    const older = OLDER[reason];
    if (older !== undefined) stats[older]!++;
    if (!this.#mayEject()) {
      stats.ejections_overflow++;
      return;
    }
    if (reason === 'consecutive_5xx' || reason === 'success_rate') stats['ejections_total']!++;
    const enforced = this.#deps.random.float() < enforcing;
    if (enforced) {
      monitor.eject(this.#deps.clock.now(), this.#deps.random.float() * this.program.maxEjectionTimeJitter);
      stats[`ejections_enforced_${reason}`]!++;
      stats['ejections_enforced_total']!++;
      monitor.host.failed();
      this.#cluster.healthChanged();
    }
    this.#log?.ejected(monitor, reason, enforced, reason.startsWith('local') ? this.local : this.external);
  }

  /** A response said that its host is degraded. */
  degraded(monitor: Monitor): void {
    if (monitor.host.degradedByOutlierDetection) return;
    this.#cluster.stats.outlier_detection['ejections_detected_degradation']!++;
    monitor.degrade(this.#deps.clock.now(), this.#deps.random.float() * this.program.maxEjectionTimeJitter);
    this.#cluster.healthChanged();
    this.#log?.ejected(monitor, 'degradation', true, NOT_JUDGED);
  }

  #returned(monitor: Monitor): void {
    this.#log?.returned(monitor);
  }

  #mayEject(): boolean {
    const total = [...this.#cluster.hosts].length;
    const ejected = this.#ejected();
    if (this.program.alwaysEjectOneHost && ejected === 0) return true;
    return (ejected + 1) / total <= this.program.maxEjectionFraction;
  }

  #ejected(): number {
    let ejected = 0;
    for (const host of this.#cluster.hosts) if (host.ejected) ejected++;
    return ejected;
  }

  #tick(): void {
    this.#timer = this.#deps.clock.after(this.program.interval, () => {
      this.#tick();
      this.#sweep();
    });
  }

  /** Every interval: lets hosts back in whose time is over, and judges the interval's rates. */
  #sweep(): void {
    const now = this.#deps.clock.now();
    const monitors = [...this.#cluster.hosts].flatMap(({ monitor }) => (monitor instanceof Monitor ? [monitor] : []));
    const returned = monitors.filter((monitor) => monitor.sweep(now));
    for (const monitor of returned) this.#returned(monitor);
    if (returned.length > 0) this.#cluster.healthChanged();
    const { program } = this;
    const judged = monitors.map((monitor) => ({
      monitor,
      external: monitor.takeExternal(),
      local: monitor.takeLocal(),
    }));
    const inService = judged.filter(({ monitor }) => !monitor.host.ejected);
    for (const { monitor } of judged) monitor.rates = { external: -1, local: -1 };
    for (const { monitor, external, local } of inService) {
      monitor.rates = { external: shownRate(external, program), local: shownRate(local, program) };
    }
    this.external = NOT_JUDGED;
    this.local = NOT_JUDGED;
    if (monitors.length < Math.min(program.successRateMinimumHosts, program.failurePercentageMinimumHosts)) return;
    const external = inService.map((entry) => ({ monitor: entry.monitor, counts: entry.external }));
    this.#judge(external, 'external', program.enforcingSuccessRate, program.enforcingFailurePercentage);
    if (!program.splitExternalLocalOriginErrors) return;
    const local = inService.map((entry) => ({ monitor: entry.monitor, counts: entry.local }));
    const { enforcingLocalOriginSuccessRate, enforcingFailurePercentageLocalOrigin } = program;
    this.#judge(local, 'local', enforcingLocalOriginSuccessRate, enforcingFailurePercentageLocalOrigin);
  }

  #judge(
    entries: readonly { readonly monitor: Monitor; readonly counts: IntervalCounts }[],
    origin: 'external' | 'local',
    enforcingRate: number,
    enforcingPercentage: number,
  ): void {
    const counts = entries.map((entry) => entry.counts);
    const { indexes, average, threshold } = successOutliers(counts, this.program);
    this[origin] = { average, threshold };
    const prefix = origin === 'local' ? 'local_origin_' : '';
    for (const index of indexes) this.detected(entries[index]!.monitor, `${prefix}success_rate`, enforcingRate);
    for (const index of failureOutliers(counts, this.program))
      this.detected(entries[index]!.monitor, `${prefix}failure_percentage`, enforcingPercentage);
  }
}

/** One host's record. */
class Monitor implements HostMonitor, JudgedHost {
  readonly host: ClusterHost;
  /** Percent in the last interval; -1: not enough requests to say. */
  rates: HostMonitor['rates'] = { external: -1, local: -1 };
  ejections = 0;
  ejectedAt: number | undefined;
  returnedAt: number | undefined;
  readonly #detector: OutlierDetector;
  #consecutive5xx = 0;
  #consecutiveGateway = 0;
  #consecutiveLocal = 0;
  #external = { success: 0, total: 0 };
  #local = { success: 0, total: 0 };
  /** Grows with every time it is taken out, which then takes longer, and shrinks while it is in. */
  #backoff = 0;
  /** The same for being degraded. */
  #degradedBackoff = 0;
  #degradedAt = 0;
  #degradedJitter = 0;
  #jitter = 0;

  constructor(host: ClusterHost, detector: OutlierDetector) {
    this.host = host;
    this.#detector = detector;
  }

  /**
   * Unless they are kept apart, a host that cannot be talked to counts as one that answered 503 or 504, and a connection
   * alone says nothing.
   */
  report(outcome: HostOutcome): void {
    const local = outcome === 'connect-failure' || outcome === 'reset' || outcome === 'timeout';
    const reached = outcome === 'begun' || outcome === 'connected';
    if (this.#detector.program.splitExternalLocalOriginErrors) {
      if (local || reached) this.#reportLocal(local);
      else this.#reportExternal(outcome);
    } else if (outcome !== 'begun') this.#reportExternal(local ? 'gateway-error' : reached ? 'success' : outcome);
  }

  eject(now: number, jitter: number): void {
    const { baseEjectionTime, maxEjectionTime } = this.#detector.program;
    this.host.ejected = true;
    this.ejections++;
    if (baseEjectionTime * this.#backoff < maxEjectionTime) this.#backoff++;
    this.ejectedAt = now;
    this.#jitter = jitter;
  }

  degrade(now: number, jitter: number): void {
    const { baseEjectionTime, maxEjectionTime } = this.#detector.program;
    this.host.degradedByOutlierDetection = true;
    if (baseEjectionTime * this.#degradedBackoff < maxEjectionTime) this.#degradedBackoff++;
    this.#degradedAt = now;
    this.#degradedJitter = jitter;
  }

  /** True when the host is let back in, or is degraded no longer. */
  sweep(now: number): boolean {
    const undegraded = this.#sweepDegraded(now);
    if (!this.host.ejected) {
      if (this.#backoff > 0) this.#backoff--;
      return undegraded;
    }
    if (now - (this.ejectedAt ?? now) < this.#time(this.#backoff) + this.#jitter) return undegraded;
    this.letIn(now);
    return true;
  }

  #sweepDegraded(now: number): boolean {
    if (!this.host.degradedByOutlierDetection) {
      if (this.#degradedBackoff > 0) this.#degradedBackoff--;
      return false;
    }
    if (now - this.#degradedAt < this.#time(this.#degradedBackoff) + this.#degradedJitter) return false;
    this.host.degradedByOutlierDetection = false;
    return true;
  }

  #time(backoff: number): number {
    const { baseEjectionTime, maxEjectionTime } = this.#detector.program;
    return Math.min(baseEjectionTime * backoff, Math.max(baseEjectionTime, maxEjectionTime));
  }

  letIn(now: number): void {
    this.host.ejected = false;
    this.returnedAt = now;
    this.#consecutive5xx = 0;
    this.#consecutiveGateway = 0;
    this.#consecutiveLocal = 0;
  }

  takeExternal(): IntervalCounts {
    const counts = this.#external;
    this.#external = { success: 0, total: 0 };
    return counts;
  }

  takeLocal(): IntervalCounts {
    const counts = this.#local;
    this.#local = { success: 0, total: 0 };
    return counts;
  }

  #reportExternal(outcome: HostOutcome): void {
    const { program } = this.#detector;
    this.#external.total++;
    if (outcome === 'success') {
      this.#external.success++;
      this.#consecutive5xx = 0;
      this.#consecutiveGateway = 0;
      return;
    }
    if (outcome === 'gateway-error') {
      if (++this.#consecutiveGateway === program.consecutiveGatewayFailure) {
        this.#consecutiveGateway = 0;
        this.#detector.detected(this, 'consecutive_gateway_failure', program.enforcingConsecutiveGatewayFailure);
      }
    } else this.#consecutiveGateway = 0;
    if (++this.#consecutive5xx === program.consecutive5xx) {
      this.#consecutive5xx = 0;
      this.#detector.detected(this, 'consecutive_5xx', program.enforcingConsecutive5xx);
    }
  }

  #reportLocal(failed: boolean): void {
    const { program } = this.#detector;
    this.#local.total++;
    if (!failed) {
      this.#local.success++;
      this.#consecutiveLocal = 0;
    } else if (++this.#consecutiveLocal === program.consecutiveLocalOriginFailure) {
      this.#consecutiveLocal = 0;
      this.#detector.detected(this, 'consecutive_local_origin_failure', program.enforcingConsecutiveLocalOriginFailure);
    }
  }
}
