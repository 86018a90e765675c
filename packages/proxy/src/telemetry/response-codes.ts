/** How often each status was answered. Few differ, so that the one looked for is found at once. */
export class ResponseCodes {
  readonly #statuses: number[] = [];
  readonly #counts: number[] = [];
  /** Answers whose status is not told. */
  #untold = 0;

  charge(status: number): void {
    const statuses = this.#statuses;
    for (let i = 0; i < statuses.length; i++) {
      if (statuses[i] === status) {
        this.#counts[i]!++;
        return;
      }
    }
    statuses.push(status);
    this.#counts.push(1);
  }

  /** Counts an answer and not its status. */
  chargeUntold(): void {
    this.#untold++;
  }

  /** Adds these counts to `stats`, as Envoy names them: `…upstream_rq_200`, `…upstream_rq_2xx`, `…upstream_rq_completed`. */
  addTo(stats: Map<string, number>, prefix: string): void {
    if (this.#untold > 0) add(stats, `${prefix}upstream_rq_completed`, this.#untold);
    for (let i = 0; i < this.#statuses.length; i++) {
      const status = this.#statuses[i]!;
      const count = this.#counts[i]!;
      add(stats, `${prefix}upstream_rq_completed`, count);
      for (const name of statusNames(status)) add(stats, prefix + name, count);
    }
  }
}

/** Under what answers of a status are counted; those that HTTP does not know go together. */
export function statusNames(status: number): readonly string[] {
  return status >= 100 && status < 600
    ? [`upstream_rq_${status}`, `upstream_rq_${Math.trunc(status / 100)}xx`]
    : ['upstream_rq_unknown'];
}

function add(stats: Map<string, number>, name: string, count: number): void {
  stats.set(name, (stats.get(name) ?? 0) + count);
}
