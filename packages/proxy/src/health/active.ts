import type { Cluster } from '../cluster/cluster.ts';
import type { Discovery } from '../cluster/dns.ts';
import type { ClusterHost } from '../cluster/host.ts';
import { newCheckStats, type CheckStats } from '../cluster/stats.ts';
import type { Deps } from '../deps.ts';
import type { AccessLogSink } from '../http/runtime.ts';
import type { HealthCheckProgram } from '../program/types.ts';
import { healthEventLog } from './events.ts';
import { HostCheck } from './host-check.ts';

/** Who wants to know what a check of a host found. `all`: each of its checks has found something by now. */
export type OnChecked = (host: ClusterHost, good: boolean, all: boolean) => void;

/** Checks every host of a cluster again and again and takes out those that fail. */
export function checkActively(
  cluster: Cluster,
  deps: Deps,
  openLog: (path: string) => AccessLogSink,
  onChecked: OnChecked,
): Discovery {
  const { healthChecks: programs } = cluster.program;
  const kinds = prepare(cluster, programs, deps, openLog);
  const running = new Map<ClusterHost, HostChecks>();
  const follow = (): void => {
    const hosts = new Set(cluster.hosts);
    let changed = false;
    for (const [host, checks] of running) {
      if (hosts.has(host) && !host.endpoint.healthCheckDisabled) continue;
      running.delete(host);
      changed ||= hosts.has(host);
      checks.stop();
    }
    for (const host of hosts) {
      if (running.has(host) || host.endpoint.healthCheckDisabled) continue;
      changed ||= !host.failedActiveHc;
      const checks = new HostChecks(host, kinds, deps, onChecked);
      running.set(host, checks);
      checks.start();
    }
    if (changed) cluster.refresh();
  };
  const unwatch = cluster.watch(follow);
  follow();
  return {
    stop: () => {
      unwatch();
      for (const checks of running.values()) checks.stop();
    },
  };
}

interface CheckKind {
  readonly program: HealthCheckProgram;
  readonly stats: CheckStats;
  readonly log: ReturnType<typeof healthEventLog>;
  /** What all checks together find, where there are several. */
  readonly total: { healthy: number; degraded: number } | undefined;
}

function prepare(
  cluster: Cluster,
  programs: readonly HealthCheckProgram[],
  deps: Deps,
  openLog: (path: string) => AccessLogSink,
): CheckKind[] {
  const each = programs.map(({ check }) =>
    check.kind === 'redis' ? { ...newCheckStats(), redis: { exists_failure: 0 } } : newCheckStats(),
  );
  const name = Object.fromEntries(programs.map((program, i) => [program.name, each[i]!]));
  const total = programs.length === 1 ? undefined : { healthy: 0, degraded: 0, name };
  cluster.stats.health_check = total ?? (programs[0]!.name === '' ? each[0]! : { name });
  return programs.map((program, i) => ({
    program,
    stats: each[i]!,
    log: healthEventLog(program, program.eventLogs.map(openLog), deps.clock),
    total,
  }));
}

/** All checks of one host: it is as good as the worst of them. */
class HostChecks {
  readonly #host: ClusterHost;
  readonly #checks: readonly HostCheck[];
  readonly #total: CheckKind['total'];
  readonly #deps: Deps;

  constructor(host: ClusterHost, kinds: readonly CheckKind[], deps: Deps, onChecked: OnChecked) {
    this.#host = host;
    this.#deps = deps;
    this.#total = kinds[0]?.total;
    const onResult = (good: boolean): void => {
      this.#settle();
      onChecked(
        host,
        good,
        this.#checks.every(({ decided }) => decided),
      );
    };
    host.failedActiveHc = true;
    this.#checks = kinds.map(({ program, stats, log }) => new HostCheck({ host, program, deps, stats, log, onResult }));
  }

  start(): void {
    this.#host.checks = { failImmediately: () => this.#failImmediately() };
    for (const check of this.#checks) check.start();
  }

  stop(): void {
    for (const check of this.#checks) check.stop();
    const host = this.#host;
    if (this.#total !== undefined && !host.failedActiveHc) this.#total.healthy--;
    if (this.#total !== undefined && host.degradedActiveHc) this.#total.degraded--;
    host.checks = undefined;
    host.failedActiveHc = false;
    host.degradedActiveHc = false;
    host.pendingActiveHc = false;
    host.activeHcTimeout = false;
    host.excludedViaImmediateHcFail = false;
  }

  #failImmediately(): void {
    this.#host.excludedViaImmediateHcFail = true;
    // Of several it is the last, in Envoy as well.
    this.#checks.at(-1)?.failPassively();
  }

  /** Takes over what the checks found; the balancing is made anew only when that changes something. */
  #settle(): void {
    const host = this.#host;
    const checks = this.#checks;
    const failed = checks.some((check) => check.failed);
    const degraded = checks.some((check) => check.degraded);
    const pending = checks.some((check) => check.pending);
    host.activeHcTimeout = checks.some((check) => check.timedOut);
    const changed =
      failed !== host.failedActiveHc || degraded !== host.degradedActiveHc || pending !== host.pendingActiveHc;
    if (!changed) return;
    const fell = failed && !host.failedActiveHc;
    if (!failed && host.failedActiveHc) host.since = this.#deps.clock.now();
    if (this.#total !== undefined) {
      this.#total.healthy += Number(!failed) - Number(!host.failedActiveHc);
      this.#total.degraded += Number(degraded) - Number(host.degradedActiveHc);
    }
    host.failedActiveHc = failed;
    host.degradedActiveHc = degraded;
    host.pendingActiveHc = pending;
    const { cluster } = host;
    if (fell && host.pendingDynamicRemoval) cluster.drop(host);
    else cluster.healthChanged();
    if (fell) host.failed();
  }
}
