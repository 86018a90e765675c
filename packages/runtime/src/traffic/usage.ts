import type { Clock } from '@mizzen/control-plane';
import { readGroups } from '../metrics/process-groups.ts';
import type { PodStatus, ProxyProcess } from '../protocol.ts';

/** What processes of one workload use together, its own Envoys among them. */
export interface Usage {
  /** Processors: 0.5 is half of one. */
  readonly cpu: number;
  /** Bytes. */
  readonly memory: number;
}

/** The process that carries the traffic of all sidecars of Mizzen's own engine. */
export const DATA_PLANE = 'data-plane';

interface Sample {
  readonly at: number;
  /** By pid of the leader of its group. */
  readonly seconds: ReadonlyMap<number, number>;
}

/** Milliseconds. A shorter time between two readings says little; after a longer one nobody was looking. */
const SHORTEST = 900;
const LONGEST = 10_000;
const FIRST = 500;

/** What workloads use now: between two times that somebody asked, or within half a second when nobody did for a while. */
export class CurrentUsage {
  readonly #source: () => { readonly pods: readonly PodStatus[]; readonly proxies: readonly ProxyProcess[] };
  readonly #clock: Pick<Clock, 'now' | 'after'>;
  readonly #groups: typeof readGroups;
  #last: Sample | undefined;
  #usage: ReadonlyMap<string, Usage> = new Map();
  #pending: Promise<ReadonlyMap<string, Usage>> | undefined;

  constructor(
    source: () => { readonly pods: readonly PodStatus[]; readonly proxies: readonly ProxyProcess[] },
    clock: Pick<Clock, 'now' | 'after'>,
    groups = readGroups,
  ) {
    this.#source = source;
    this.#clock = clock;
    this.#groups = groups;
  }

  /** By `NAMESPACE/NAME`, and DATA_PLANE; without what this system does not tell of. */
  read(): Promise<ReadonlyMap<string, Usage>> {
    this.#pending ??= this.#read().finally(() => (this.#pending = undefined));
    return this.#pending;
  }

  async #read(): Promise<ReadonlyMap<string, Usage>> {
    const age = this.#last === undefined ? Infinity : this.#clock.now() - this.#last.at;
    if (age < SHORTEST) return this.#usage;
    if (age > LONGEST) {
      this.#last = undefined;
      this.#sample();
      await new Promise<void>((resolve) => this.#clock.after(FIRST, resolve));
    }
    this.#sample();
    return this.#usage;
  }

  #sample(): void {
    const owners = this.#owners();
    const found = this.#groups(new Set(owners.keys()));
    const [before, at] = [this.#last, this.#clock.now()];
    const seconds = new Map<number, number>();
    const usage = new Map<string, Usage>();
    for (const [pid, { cpuSeconds, residentBytes }] of found ?? []) {
      const owner = owners.get(pid)!;
      seconds.set(pid, cpuSeconds);
      // A process that nobody had seen yet began in between.
      const used = before === undefined ? 0 : Math.max(0, cpuSeconds - (before.seconds.get(pid) ?? 0));
      const { cpu, memory } = usage.get(owner) ?? { cpu: 0, memory: 0 };
      const elapsed = before === undefined ? Infinity : (at - before.at) / 1000;
      usage.set(owner, { cpu: cpu + used / elapsed, memory: memory + residentBytes });
    }
    this.#last = { at, seconds };
    this.#usage = usage;
  }

  #owners(): Map<number, string> {
    const { pods, proxies } = this.#source();
    const owners = new Map<number, string>();
    const nodes = new Map<string, string>();
    for (const { owner, node, containers } of pods) {
      const name = `${owner.namespace}/${owner.name}`;
      if (node !== undefined) nodes.set(node, name);
      for (const { pid } of containers ?? []) if (pid !== undefined) owners.set(pid, name);
    }
    for (const { pid, node } of proxies) {
      const name = node === undefined ? DATA_PLANE : nodes.get(node);
      if (name !== undefined) owners.set(pid, name);
    }
    return owners;
  }
}
