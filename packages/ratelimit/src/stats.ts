type Kind = 'total_hits' | 'over_limit' | 'near_limit' | 'within_limit' | 'shadow_mode';

/** Counters by rule, under the names that envoyproxy/ratelimit gives them. */
export class Stats {
  readonly #counters = new Map<string, number>();

  count(key: string, kind: Kind, hits: number): void {
    if (hits === 0) return;
    const name = `ratelimit.service.rate_limit.${key}.${kind}`;
    this.#counters.set(name, (this.#counters.get(name) ?? 0) + hits);
  }

  /** `name: value` lines, sorted. */
  text(): string {
    return [...this.#counters]
      .map(([name, value]) => `${name}: ${value}\n`)
      .toSorted()
      .join('');
  }
}
