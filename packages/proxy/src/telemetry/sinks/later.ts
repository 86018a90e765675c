import type { StatsSink, StatsSnapshot } from './types.ts';

/** A sink that is being loaded. What comes before it is there waits, a few snapshots at most. */
export class LaterSink implements StatsSink {
  #sink: StatsSink | undefined;
  #early: StatsSnapshot[] = [];
  #closed = false;

  constructor(loading: Promise<StatsSink>) {
    void loading.then((sink) => {
      this.#sink = sink;
      for (const snapshot of this.#early) sink.flush(snapshot);
      this.#early = [];
      if (this.#closed) sink.close();
    });
  }

  flush(snapshot: StatsSnapshot): void {
    if (this.#sink !== undefined) this.#sink.flush(snapshot);
    else if (this.#early.length < MAX_EARLY) this.#early.push(snapshot);
  }

  close(): void {
    this.#closed = true;
    this.#sink?.close();
  }
}

const MAX_EARLY = 8;
