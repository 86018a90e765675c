/** Who has connections to a host besides its pools. */
export class DrainWatchers {
  readonly #watchers = new Set<() => void>();

  /** Returns what leaves. */
  add(end: () => void): () => void {
    this.#watchers.add(end);
    return () => this.#watchers.delete(end);
  }

  /** Connections are used no more: each is told once. */
  call(): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const end of watchers) end();
  }
}
