import type { types } from '@mizzen/xds';
import type { Clock } from '../../deps.ts';
import type { Counter } from '../../program/types.ts';
import { field, sizeOf, sizeOfAll } from './values.ts';

type LogRecord = types.otlpLogs.LogRecord;

export interface BatchSettings {
  /** Milliseconds. */
  readonly interval: number;
  /** Records leave once they are this long; 0: each by itself. */
  readonly bytes: number;
  readonly written: Counter;
  readonly dropped: Counter;
  /** Rejects when the records were not taken. */
  readonly send: (records: readonly LogRecord[]) => Promise<unknown>;
}

/** Gathers records until there are enough of them, or the first has waited long enough. */
export class RecordBatch {
  #records: LogRecord[] = [];
  #bytes = 0;
  #waits = false;
  readonly #clock: Clock;
  readonly #settings: BatchSettings;

  constructor(clock: Clock, settings: BatchSettings) {
    this.#clock = clock;
    this.#settings = settings;
  }

  add(record: LogRecord): void {
    this.#records.push(record);
    this.#bytes += sizeOfRecord(record);
    if (this.#bytes >= this.#settings.bytes) {
      this.#flush();
      return;
    }
    if (this.#waits) return;
    this.#waits = true;
    this.#clock.after(this.#settings.interval, () => {
      this.#waits = false;
      this.#flush();
    });
  }

  #flush(): void {
    const records = this.#records;
    if (records.length === 0) return;
    this.#records = [];
    this.#bytes = 0;
    const { written, dropped, send } = this.#settings;
    send(records).then(
      () => (written.value += records.length),
      () => (dropped.value += records.length),
    );
  }
}

const TIME = 9;

function sizeOfRecord({ body, attributes, traceId, spanId }: LogRecord): number {
  const of = (bytes: string | undefined): number => (bytes === undefined ? 0 : field((bytes.length * 3) / 4));
  return TIME + (body === undefined ? 0 : field(sizeOf(body))) + sizeOfAll(attributes) + of(traceId) + of(spanId);
}
