import type { ClusterTraffic, NodeTraffic } from '@mizzen/proxy/process/protocol.ts';

/** What went to one workload; to whatever is none when `target` is empty. */
export interface TargetTraffic {
  readonly target: string;
  readonly requests: number;
  readonly errors: number;
  /** Apart from errors. */
  readonly clientErrors: number;
  readonly connections: number;
  /** All of its connections were secured. */
  readonly tls: boolean;
}

/** What one proxy's cluster sent within one report. */
interface Sample extends Omit<ClusterTraffic, 'hosts'> {
  /** Milliseconds, by the clock. */
  readonly at: number;
  readonly targets: readonly TargetTraffic[];
}

/** What a workload sent to a cluster within a window. */
export interface Flow {
  readonly source: string;
  readonly cluster: string;
  readonly unsent: number;
  readonly targets: ReadonlyMap<string, TargetTraffic>;
  /** Ascending: milliseconds and how many answers took them. */
  readonly times: readonly (readonly [number, number])[];
}

/** Whose a proxy or an endpoint is: the id of its workload. */
export interface Owners {
  readonly ofNode: (node: string) => string | undefined;
  /** `ADDRESS:PORT` */
  readonly ofAddress: (address: string) => string | undefined;
}

/** The longest window that can be asked for, milliseconds. */
export const LONGEST_WINDOW = 300_000;

/** Milliseconds after which what is too old goes also from flows that nothing is added to. */
const SWEEP = 60_000;
/** Beyond these, flows of which nothing is within any window go; beyond as many that are, new ones are not kept. */
const MOST_FLOWS = 50_000;

interface Kept {
  readonly source: string;
  readonly cluster: string;
  readonly samples: Sample[];
  /** Workloads it has ever gone to, with nothing. */
  readonly targets: Map<string, TargetTraffic>;
}

/**
 * What proxies sent within the last minutes. Bounded by time, and by the number of workloads and clusters; a flow that
 * was there once stays (with nothing in it), so that a graph keeps its edges. Pods come and go: what counts is the
 * workload that a pod was of when something was sent to it.
 */
export class TrafficWindow {
  readonly #flows = new Map<string, Kept>();
  #sweptAt = -Infinity;

  add(nodes: readonly NodeTraffic[], at: number, owners: Owners): void {
    for (const { node, clusters } of nodes) {
      const source = owners.ofNode(node);
      if (source === undefined) continue;
      for (const { hosts, ...traffic } of clusters) {
        // From a sidecar to its own application.
        if (/^(inbound\||InboundPassthrough|mizzen_traces$)/.test(traffic.cluster)) continue;
        const targets = new Map<string, TargetTraffic>();
        for (const host of hosts) {
          const target = owners.ofAddress(host.address) ?? '';
          targets.set(target, sum(targets.get(target), { ...host, target }));
        }
        this.#add(source, { ...traffic, at, targets: [...targets.values()] });
      }
    }
    if (at - this.#sweptAt < SWEEP) return;
    this.#sweptAt = at;
    for (const flow of this.#flows.values()) forgetOld(flow, at);
  }

  #add(source: string, sample: Sample): void {
    const key = `${source} ${sample.cluster}`;
    let flow = this.#flows.get(key);
    if (flow === undefined) {
      if (this.#flows.size >= MOST_FLOWS) this.#forgetQuiet(sample.at);
      if (this.#flows.size >= MOST_FLOWS) return;
      flow = { source, cluster: sample.cluster, samples: [], targets: new Map() };
      this.#flows.set(key, flow);
    }
    forgetOld(flow, sample.at);
    flow.samples.push(sample);
    for (const { target, tls } of sample.targets)
      flow.targets.set(target, { target, requests: 0, errors: 0, clientErrors: 0, connections: 0, tls });
  }

  #forgetQuiet(now: number): void {
    for (const [key, flow] of this.#flows) {
      forgetOld(flow, now);
      if (flow.samples.length === 0) this.#flows.delete(key);
    }
  }

  /** Forgets what is from or to workloads that are gone. */
  keep(isThere: (workload: string) => boolean): void {
    for (const [key, { source, targets }] of this.#flows) {
      if (!isThere(source)) this.#flows.delete(key);
      for (const target of targets.keys()) if (target !== '' && !isThere(target)) targets.delete(target);
    }
  }

  /** Sums of what came after `since`. */
  flows(since: number): Flow[] {
    return [...this.#flows.values()].map(({ source, cluster, samples, targets: known }) => {
      const targets = new Map(known);
      const times = new Map<number, number>();
      let unsent = 0;
      for (const sample of samples) {
        if (sample.at <= since) continue;
        unsent += sample.unsent;
        for (const [ms, count] of sample.times) times.set(ms, (times.get(ms) ?? 0) + count);
        for (const traffic of sample.targets) {
          const { target } = traffic;
          if (known.has(target)) targets.set(target, sum(targets.get(target), traffic));
        }
      }
      return { source, cluster, unsent, targets, times: [...times].toSorted(([a], [b]) => a - b) };
    });
  }
}

function forgetOld({ samples }: Kept, now: number): void {
  const young = samples.findIndex(({ at }) => at > now - LONGEST_WINDOW);
  samples.splice(0, young === -1 ? samples.length : young);
}

function sum(a: TargetTraffic | undefined, b: TargetTraffic): TargetTraffic {
  return {
    target: b.target,
    requests: (a?.requests ?? 0) + b.requests,
    errors: (a?.errors ?? 0) + b.errors,
    clientErrors: (a?.clientErrors ?? 0) + b.clientErrors,
    connections: (a?.connections ?? 0) + b.connections,
    tls: (a?.tls ?? true) && b.tls,
  };
}

/** The value below which a share of all lie; undefined of nothing. `times` ascend. */
export function quantile(times: readonly (readonly [number, number])[], share: number): number | undefined {
  const total = times.reduce((all, [, count]) => all + count, 0);
  if (total === 0) return undefined;
  let rank = Math.max(1, Math.ceil(share * total));
  for (const [ms, count] of times) if ((rank -= count) <= 0) return ms;
  return undefined;
}
