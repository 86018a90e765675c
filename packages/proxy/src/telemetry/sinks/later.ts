import type { StatsSink, StatsSnapshot } from './types.ts';

/** A sink that is being loaded. What comes before it is there waits, a few snapshots at most. */
export class LaterSink implements StatsSink {
  #sink: StatsSink | undefined;
  #early: StatsSnapshot[] = [];
  readonly #loading: Promise<StatsSink>;

  constructor(loading: Promise<StatsSink>) {
    this.#loading = loading.then((sink) => {
      this.#sink = sink;
      for (const snapshot of this.#early) sink.flush(snapshot);
      this.#early = [];
      return sink;
    });
  }

  flush(snapshot: StatsSnapshot): void {
    if (this.#sink !== undefined) this.#sink.flush(snapshot);
    else if (this.#early.length < MAX_EARLY) this.#early.push(snapshot);
  }

  async close(): Promise<void> {
    await (await this.#loading).close();
  }
}

const MAX_EARLY = 8;
