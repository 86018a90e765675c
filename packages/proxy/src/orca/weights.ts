import type { Cluster } from '../cluster/cluster.ts';
import type { Discovery } from '../cluster/dns.ts';
import type { ClusterHost } from '../cluster/host.ts';
import type { Deps, Timer } from '../deps.ts';
import type { LoadWeights } from '../program/types.ts';
import { readLoadReport, valuesOf, type LoadReport } from './report.ts';

const MAX_WEIGHT = 2 ** 32 - 1;

/** Weighs a cluster's hosts by what they say of their load in responses. */
export function weighByReports(cluster: Cluster, program: LoadWeights, deps: Deps): Discovery {
  let timer: Timer | undefined;
  const weigh = (): void => {
    for (const host of cluster.hosts) host.load ??= new HostLoad(program, deps);
    if (reweigh(cluster, program, deps.clock.now())) cluster.refresh();
  };
  const tick = (): void => {
    timer = deps.clock.after(program.updatePeriod, tick);
    weigh();
  };
  // What a file says of hosts that do not change holds until it is first looked at.
  if (cluster.program.type === 'STATIC') for (const host of cluster.hosts) host.load ??= new HostLoad(program, deps);
  else weigh();
  timer = deps.clock.after(program.updatePeriod, tick);
  const unwatch = cluster.watch(weigh);
  return {
    stop: () => {
      unwatch();
      timer?.cancel();
    },
  };
}

/** What one host has said, as a weight. */
class HostLoad {
  readonly #program: LoadWeights;
  readonly #deps: Deps;
  #weight = 0;
  #since: number | undefined = undefined;
  #last = 0;

  constructor(program: LoadWeights, deps: Deps) {
    this.#program = program;
    this.#deps = deps;
  }

  report(flat: readonly string[]): boolean {
    const report = readLoadReport(flat);
    if (report === undefined) return false;
    const weight = weightOf(report, this.#program);
    if (weight === undefined) return true;
    this.#weight = weight;
    this.#last = this.#deps.clock.now();
    this.#since ??= this.#last;
    return true;
  }

  /** Undefined where the host has said nothing for too long, or has only begun to. */
  weightAt(now: number): number | undefined {
    const { blackoutPeriod, expirationPeriod } = this.#program;
    if (this.#since === undefined || this.#since > now - blackoutPeriod) return undefined;
    if (this.#last >= now - expirationPeriod) return this.#weight;
    this.#since = undefined;
    return undefined;
  }
}

/** Requests a second that all of it would take. Undefined where the report does not tell. */
function weightOf(report: LoadReport, { metrics, errorPenalty }: LoadWeights): number | undefined {
  const { rpsFractional, eps } = report;
  if (!(rpsFractional > 0)) return undefined;
  const utilization = utilizationOf(report, metrics) + (errorPenalty * eps) / rpsFractional;
  if (!(utilization > 0)) return undefined;
  // Where both are without bounds, so little that it is nothing.
  return Math.trunc(Math.min(MAX_WEIGHT, rpsFractional / utilization)) || 0;
}

function utilizationOf(report: LoadReport, metrics: readonly string[]): number {
  let most = 0;
  for (const metric of metrics) for (const value of valuesOf(report, metric)) most = Math.max(most, value);
  if (most > 0) return most;
  return report.applicationUtilization > 0 ? report.applicationUtilization : report.cpuUtilization;
}

/** By priority: who has said nothing weighs as much as the one in the middle. True if any weight is another now. */
function reweigh(cluster: Cluster, program: LoadWeights, now: number): boolean {
  let changed = false;
  for (const { hosts } of cluster.levels) {
    const known: number[] = [];
    const silent: ClusterHost[] = [];
    const weigh = (host: ClusterHost, weight: number): void => {
      const least = Math.max(1, weight);
      if (host.weight === least) return;
      host.weight = least;
      changed = true;
    };
    for (const host of hosts as readonly ClusterHost[]) {
      const weight = host.load instanceof HostLoad ? host.load.weightAt(now) : undefined;
      if (weight === undefined) {
        silent.push(host);
      } else {
        known.push(weight);
        weigh(host, weight);
      }
    }
    const usual = median(known);
    for (const host of silent) weigh(host, usual);
  }
  return changed;
}

function median(weights: readonly number[]): number {
  if (weights.length === 0) return 1;
  const sorted = weights.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : Math.trunc((sorted[middle - 1]! + sorted[middle]!) / 2);
}
