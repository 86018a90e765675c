import type { RequestTraffic } from '@mizzen/proxy/process/protocol.ts';
import { LONGEST_WINDOW } from './window.ts';

interface Sample {
  readonly at: number;
  readonly clientErrors: number;
}

/** Client errors that no edge of the graph tells of, for nobody was asked: by workload, as they are reported. */
export class Refusals {
  readonly #samples = new Map<string, Sample[]>();

  /** `refusedBy`: whose answer it was; undefined for what an edge tells of. */
  add(
    requests: readonly RequestTraffic[],
    at: number,
    refusedBy: (parties: RequestTraffic) => string | undefined,
  ): void {
    for (const each of requests) {
      const workload = each.clientErrors === 0 ? undefined : refusedBy(each);
      if (workload === undefined) continue;
      let samples = this.#samples.get(workload);
      if (samples === undefined) this.#samples.set(workload, (samples = []));
      samples.push({ at, clientErrors: each.clientErrors });
    }
    for (const [workload, samples] of this.#samples) {
      while (samples[0] !== undefined && samples[0].at <= at - LONGEST_WINDOW) samples.shift();
      if (samples.length === 0) this.#samples.delete(workload);
    }
  }

  /** Later than `from`. */
  since(from: number): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const [workload, samples] of this.#samples) {
      const within = samples.filter(({ at }) => at > from);
      if (within.length > 0)
        sums.set(
          workload,
          within.reduce((sum, { clientErrors }) => sum + clientErrors, 0),
        );
    }
    return sums;
  }
}
