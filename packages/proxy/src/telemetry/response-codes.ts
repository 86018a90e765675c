/** How often each status was answered. Few differ, so that the one looked for is found at once. */
export class ResponseCodes {
  readonly #statuses: number[] = [];
  readonly #counts: number[] = [];
  /** Those of them whose status the count of all does not tell. */
  #untold: ResponseCodes | undefined;

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

  /** Counts an answer whose status only a part of the counts tells. */
  chargeUntold(status: number): void {
    this.charge(status);
    (this.#untold ??= new ResponseCodes()).charge(status);
  }

  /**
   * Adds these counts to `stats`, as Envoy names them: `…upstream_rq_200`, `…upstream_rq_2xx`, `…upstream_rq_completed`.
   * `told`: without statuses that are not to be told there.
   */
  addTo(stats: Map<string, number>, prefix: string, told = false): void {
    for (let i = 0; i < this.#statuses.length; i++) {
      const status = this.#statuses[i]!;
      const count = this.#counts[i]!;
      add(stats, `${prefix}upstream_rq_completed`, count);
      const shown = told ? count - (this.#untold?.of(status) ?? 0) : count;
      if (shown > 0) for (const name of statusNames(status)) add(stats, prefix + name, shown);
    }
  }

  of(status: number): number {
    return this.#counts[this.#statuses.indexOf(status)] ?? 0;
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
