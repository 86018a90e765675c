/** Rates of the last minutes, one a second, the newest last. */
export interface History {
  readonly requests: readonly number[];
  readonly errors: readonly number[];
  readonly clientErrors: readonly number[];
  readonly p99: readonly (number | null)[];
}

/** The newest values of a series, in memory that is taken once. */
export class Recent {
  /** NaN: nothing was known. */
  readonly #values: Float64Array;
  #count = 0;

  constructor(most: number) {
    this.#values = new Float64Array(most);
  }

  push(value: number | null): void {
    this.#values[this.#count++ % this.#values.length] = value ?? NaN;
  }

  /** The oldest first. */
  values(): (number | null)[] {
    const { length } = this.#values;
    const from = Math.max(0, this.#count - length);
    return Array.from({ length: this.#count - from }, (_, index) => {
      const value = this.#values[(from + index) % length]!;
      return Number.isNaN(value) ? null : value;
    });
  }
}

interface Kept {
  readonly requests: Recent;
  readonly errors: Recent;
  readonly clientErrors: Recent;
  readonly p99: Recent;
}

export interface Measured {
  readonly id: string;
  readonly requestRate: number;
  readonly errorRate: number;
  readonly clientErrorRate: number;
  readonly p99?: number | null;
}

/** Histories of what there is; of what has gone, nothing is kept. */
export class Histories {
  readonly #most: number;
  readonly #kept = new Map<string, Kept>();

  /** `most` values of each. */
  constructor(most: number) {
    this.#most = most;
  }

  push(all: readonly Measured[]): void {
    const there = new Set<string>();
    for (const { id, requestRate, errorRate, clientErrorRate, p99 } of all) {
      there.add(id);
      let kept = this.#kept.get(id);
      if (kept === undefined) {
        const recent = (): Recent => new Recent(this.#most);
        this.#kept.set(id, (kept = { requests: recent(), errors: recent(), clientErrors: recent(), p99: recent() }));
      }
      kept.requests.push(requestRate);
      kept.errors.push(errorRate);
      kept.clientErrors.push(clientErrorRate);
      kept.p99.push(p99 ?? null);
    }
    for (const id of this.#kept.keys()) if (!there.has(id)) this.#kept.delete(id);
  }

  of(id: string): History | undefined {
    const kept = this.#kept.get(id);
    if (kept === undefined) return undefined;
    const numbers = (recent: Recent): number[] => recent.values().map((value) => value ?? 0);
    return {
      requests: numbers(kept.requests),
      errors: numbers(kept.errors),
      clientErrors: numbers(kept.clientErrors),
      p99: kept.p99.values(),
    };
  }
}
