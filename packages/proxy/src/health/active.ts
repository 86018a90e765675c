import type { Cluster } from '../cluster/cluster.ts';
import type { Discovery } from '../cluster/dns.ts';
import type { ClusterHost } from '../cluster/host.ts';
import type { Deps, Timer } from '../deps.ts';
import type { HealthCheckProgram } from '../program/types.ts';
import { probe, type ProbeResult } from './probe.ts';

/** Checks every host of a cluster again and again and takes out those that fail. Only the first check counts as known. */
export function checkActively(cluster: Cluster, programs: readonly HealthCheckProgram[], deps: Deps): Discovery {
  const checkers = new Map<ClusterHost, readonly HostChecker[]>();
  const follow = (): void => {
    const hosts = new Set(cluster.hosts);
    for (const [host, running] of checkers) {
      if (hosts.has(host)) continue;
      for (const checker of running) checker.stop();
      checkers.delete(host);
    }
    let added = false;
    for (const host of hosts) {
      if (checkers.has(host) || host.endpoint.healthCheckDisabled) continue;
      host.checked = 'pending';
      added = true;
      const running: HostChecker[] = [];
      checkers.set(host, running);
      const judge = (): void => settle(cluster, host, running);
      running.push(...programs.map((program) => new HostChecker(host, program, deps, judge)));
    }
    if (added) cluster.refresh();
  };
  const unwatch = cluster.watch(follow);
  follow();
  return {
    stop: () => {
      unwatch();
      for (const running of checkers.values()) for (const checker of running) checker.stop();
    },
  };
}

/** A host is as good as the worst of its checks. */
function settle(cluster: Cluster, host: ClusterHost, running: readonly HostChecker[]): void {
  const states = running.map(({ state }) => state);
  const state = states.includes('unhealthy') ? 'unhealthy' : states.includes('pending') ? 'pending' : 'healthy';
  if (state === host.checked) return;
  host.checked = state;
  cluster.refresh();
  if (state === 'unhealthy' && cluster.program.closeConnectionsOnHostHealthFailure) host.pool?.close();
}

/**
 * One check of one host: pending → healthy or unhealthy with the first answer; then as many answers of the other kind in
 * a row as the thresholds say, or one that says outright that the host is unwell.
 */
class HostChecker {
  state: 'pending' | 'healthy' | 'unhealthy' = 'pending';
  readonly #host: ClusterHost;
  readonly #program: HealthCheckProgram;
  readonly #deps: Deps;
  readonly #onChange: () => void;
  #timer: Timer | undefined;
  #stopped = false;
  #streak = 0;

  constructor(host: ClusterHost, program: HealthCheckProgram, deps: Deps, onChange: () => void) {
    this.#host = host;
    this.#program = program;
    this.#deps = deps;
    this.#onChange = onChange;
    this.#again(deps.random.float() * program.initialJitter);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #again(ms: number): void {
    this.#timer = this.#deps.clock.after(ms, () => {
      probe(this.#host, this.#program, this.#deps, (result) => this.#take(result));
    });
  }

  #take(result: ProbeResult): void {
    if (this.#stopped) return;
    const before = this.state;
    const good = result === 'pass';
    const same = before !== 'pending' && good === (before === 'healthy');
    this.#streak = same ? 0 : this.#streak + 1;
    const threshold = good ? this.#program.healthyThreshold : this.#program.unhealthyThreshold;
    if (!same && (before === 'pending' || result === 'unwell' || this.#streak >= threshold)) {
      this.state = good ? 'healthy' : 'unhealthy';
      this.#streak = 0;
    }
    this.#again(this.#interval(before));
    if (this.state !== before) this.#onChange();
  }

  #interval(before: HostChecker['state']): number {
    const program = this.#program;
    const edge = this.state !== before;
    const idle = this.#host.cluster.stats.upstream_rq_total === 0;
    const base = idle
      ? this.state === 'healthy'
        ? program.noTrafficHealthyInterval
        : program.noTrafficInterval
      : this.state === 'healthy'
        ? edge
          ? program.healthyEdgeInterval
          : program.interval
        : edge
          ? program.unhealthyEdgeInterval
          : program.unhealthyInterval;
    const { random } = this.#deps;
    return base * (1 + random.float() * program.intervalJitterFraction) + random.float() * program.intervalJitter;
  }
}
