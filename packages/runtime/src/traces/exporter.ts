import type { Clock } from '@mizzen/control-plane';
import { Repeated } from '../otlp/repeated.ts';
import { Reception, receiverUrl, send } from '../otlp/send.ts';
import type { Span } from './span.ts';
import { toOtlp } from './to-otlp.ts';

export interface SpanExporterOptions {
  /** Of an OTLP receiver over HTTP: `/v1/traces` comes behind one that has no path. */
  readonly url: string;
  /** Milliseconds from one report to the next. */
  readonly interval: number;
  readonly version: string;
  readonly clock: Clock;
  /** Said when it stops working, and when it works again. */
  readonly onNotice: (text: string) => void;
}

/** So many wait for a receiver that does not answer; then the oldest go. */
export const MOST_WAITING = 20_000;
/** Spans of one report. */
const MOST_AT_ONCE = 2000;

/** Sends the spans of a mesh on to an OTLP receiver, those that wait for one that comes later, too. */
export class SpanExporter {
  readonly #options: SpanExporterOptions;
  readonly #url: string;
  readonly #reception: Reception;
  #waiting: Span[] = [];
  readonly #reports: Repeated;

  constructor(options: SpanExporterOptions) {
    this.#options = options;
    this.#url = receiverUrl(options.url, '/v1/traces');
    this.#reception = new Reception('spans', this.#url, options.onNotice);
    this.#reports = new Repeated(options.clock, options.interval, () => this.#report());
  }

  add(spans: readonly Span[]): void {
    for (const span of spans) this.#waiting.push(span);
    if (this.#waiting.length > MOST_WAITING) this.#waiting.splice(0, this.#waiting.length - MOST_WAITING);
  }

  close(): void {
    this.#reports.close();
  }

  async #report(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#reports.closed) {
      const spans = this.#waiting.splice(0, MOST_AT_ONCE);
      const refusal = await send(this.#url, toOtlp(spans, this.#options.version));
      if (this.#reports.closed) return;
      this.#reception.saw(refusal);
      if (refusal === undefined || refusal.final) continue;
      const room = MOST_WAITING - this.#waiting.length;
      if (room > 0) this.#waiting = [...spans.slice(-room), ...this.#waiting];
      return;
    }
  }
}
