import type { Cluster } from '../cluster/cluster.ts';
import type { Discovery } from '../cluster/dns.ts';
import type { ClusterHost, HostMonitor, HostOutcome } from '../cluster/host.ts';
import type { Deps, Timer } from '../deps.ts';
import type { OutlierProgram } from '../program/types.ts';
import { failureOutliers, successOutliers, type IntervalCounts } from './outlier-rates.ts';

/** Envoy's names of what a host can be ejected for. */
type Reason =
  | 'consecutive_5xx'
  | 'consecutive_gateway_failure'
  | 'consecutive_local_origin_failure'
  | 'success_rate'
  | 'local_origin_success_rate'
  | 'failure_percentage'
  | 'local_origin_failure_percentage';

/** Follows what a cluster's hosts answer and takes those out for a while that fail too much. */
export function watchOutliers(cluster: Cluster, program: OutlierProgram, deps: Deps): Discovery {
  const detector = new OutlierDetector(cluster, program, deps);
  const unwatch = cluster.watch(() => detector.attach());
  detector.attach();
  return {
    stop: () => {
      unwatch();
      detector.stop();
    },
  };
}

class OutlierDetector {
  readonly program: OutlierProgram;
  readonly #cluster: Cluster;
  readonly #deps: Deps;
  #timer: Timer | undefined;

  constructor(cluster: Cluster, program: OutlierProgram, deps: Deps) {
    this.#cluster = cluster;
    this.program = program;
    this.#deps = deps;
    this.#tick();
  }

  /** Gives hosts that are new a monitor, and recounts those that are out. */
  attach(): void {
    for (const host of this.#cluster.hosts) host.monitor ??= new Monitor(host, this);
    this.#cluster.stats.outlier_ejections_active = this.#ejected();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** The host's monitor found it to be failing. `enforcing` is the chance that something comes of it. */
  detected(monitor: Monitor, reason: Reason, enforcing: number): void {
    const { stats } = this.#cluster;
    count(stats.outlier_ejections_detected, reason);
    if (monitor.host.ejected || this.#deps.random.float() >= enforcing) return;
    if (!this.#mayEject()) {
      stats.outlier_ejections_overflow++;
      return;
    }
    monitor.eject(this.#deps.clock.now(), this.#deps.random.float() * this.program.maxEjectionTimeJitter);
    count(stats.outlier_ejections_enforced, reason);
    stats.outlier_ejections_total++;
    this.#cluster.refresh();
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
    let returned = false;
    for (const monitor of monitors) returned = monitor.sweep(now) || returned;
    if (returned) this.#cluster.refresh();
    const { program } = this;
    const external = monitors.map((monitor) => ({ monitor, counts: monitor.takeExternal() }));
    const local = monitors.map((monitor) => ({ monitor, counts: monitor.takeLocal() }));
    this.#judge(
      external,
      'success_rate',
      program.enforcingSuccessRate,
      'failure_percentage',
      program.enforcingFailurePercentage,
    );
    if (program.splitExternalLocalOriginErrors) {
      this.#judge(
        local,
        'local_origin_success_rate',
        program.enforcingLocalOriginSuccessRate,
        'local_origin_failure_percentage',
        program.enforcingFailurePercentageLocalOrigin,
      );
    }
  }

  #judge(
    entries: readonly { readonly monitor: Monitor; readonly counts: IntervalCounts }[],
    rate: Reason,
    enforcingRate: number,
    percentage: Reason,
    enforcingPercentage: number,
  ): void {
    const counts = entries.map((entry) => entry.counts);
    for (const index of successOutliers(counts, this.program))
      this.detected(entries[index]!.monitor, rate, enforcingRate);
    for (const index of failureOutliers(counts, this.program))
      this.detected(entries[index]!.monitor, percentage, enforcingPercentage);
  }
}

/** One host's record. */
class Monitor implements HostMonitor {
  readonly host: ClusterHost;
  readonly #detector: OutlierDetector;
  #consecutive5xx = 0;
  #consecutiveGateway = 0;
  #consecutiveLocal = 0;
  #external = { success: 0, total: 0 };
  #local = { success: 0, total: 0 };
  /** How many times in a row it was taken out; every time takes longer. */
  #ejections = 0;
  #ejectedAt = 0;
  #jitter = 0;

  constructor(host: ClusterHost, detector: OutlierDetector) {
    this.host = host;
    this.#detector = detector;
  }

  report(outcome: HostOutcome): void {
    const local = outcome === 'connect-failure' || outcome === 'reset' || outcome === 'timeout';
    if (this.#detector.program.splitExternalLocalOriginErrors) this.#reportLocal(local);
    // Unless they are kept apart, a host that cannot be talked to counts as one that answered 503 or 504.
    if (local && this.#detector.program.splitExternalLocalOriginErrors) return;
    this.#reportExternal(local ? 'gateway-error' : outcome);
  }

  eject(now: number, jitter: number): void {
    this.host.ejected = true;
    this.#ejections++;
    this.#ejectedAt = now;
    this.#jitter = jitter;
  }

  /** True when the host is let back in. */
  sweep(now: number): boolean {
    if (!this.host.ejected) {
      if (this.#ejections > 0) this.#ejections--;
      return false;
    }
    const { baseEjectionTime, maxEjectionTime } = this.#detector.program;
    const time =
      Math.min(baseEjectionTime * this.#ejections, Math.max(baseEjectionTime, maxEjectionTime)) + this.#jitter;
    if (now - this.#ejectedAt < time) return false;
    this.host.ejected = false;
    this.#consecutive5xx = 0;
    this.#consecutiveGateway = 0;
    this.#consecutiveLocal = 0;
    return true;
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

function count(counts: Record<string, number>, reason: Reason): void {
  counts[reason] = (counts[reason] ?? 0) + 1;
}
