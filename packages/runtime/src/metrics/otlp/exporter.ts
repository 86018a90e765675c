import type { Clock, Timer } from '@mizzen/control-plane';
import { attributesOf, toOtlp } from './convert.ts';
import { readFamilies } from './families.ts';

/** Where metrics come from, and whose they are. */
export interface MetricsOrigin {
  /** Attributes of the resource, by OpenTelemetry's names. */
  readonly resource: Readonly<Record<string, string>>;
  /** In Prometheus' text format. */
  readonly read: () => Promise<string>;
}

export interface OtlpExporterOptions {
  /** Of an OTLP receiver over HTTP: `/v1/metrics` comes behind one that has no path. */
  readonly url: string;
  /** Milliseconds from one report to the next. */
  readonly interval: number;
  readonly version: string;
  readonly clock: Clock;
  readonly origins: () => readonly MetricsOrigin[];
  /** Said when it stops working, and when it works again. */
  readonly onNotice: (text: string) => void;
}

const TIMEOUT = 10_000;
/** So many origins are read at once. */
const AT_ONCE = 8;

/** Sends all metrics of a mesh to an OTLP receiver, again and again: a report for each of those they are of. */
export class OtlpExporter {
  readonly #options: OtlpExporterOptions;
  readonly #url: string;
  #timer: Timer | undefined;
  #closed = false;
  #failing = false;

  constructor(options: OtlpExporterOptions) {
    this.#options = options;
    this.#url = metricsUrl(options.url);
    this.#later();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #later(): void {
    if (this.#closed) return;
    this.#timer = this.#options.clock.after(this.#options.interval, () => {
      void this.#report().finally(() => this.#later());
    });
  }

  async #report(): Promise<void> {
    const origins = [...this.#options.origins()];
    const failures: string[] = [];
    const work = async (): Promise<void> => {
      for (let origin = origins.shift(); origin !== undefined && !this.#closed; origin = origins.shift()) {
        const { read } = origin;
        const text = await Promise.try(read).catch(() => undefined);
        // One that cannot be asked is missing there as it would be in Prometheus.
        if (text === undefined) continue;
        const failure = await this.#send(origin.resource, text);
        if (failure !== undefined) failures.push(failure);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (this.#closed || this.#failing === failures.length > 0) return;
    this.#failing = failures.length > 0;
    const { onNotice } = this.#options;
    onNotice(
      this.#failing
        ? `metrics cannot be sent to ${this.#url}: ${failures[0]}`
        : `metrics are sent to ${this.#url} again`,
    );
  }

  /** Undefined: it was taken. */
  async #send(resource: Readonly<Record<string, string>>, text: string): Promise<string | undefined> {
    const { clock, version } = this.#options;
    const metrics = toOtlp(readFamilies(text), clock.wall());
    if (metrics.length === 0) return undefined;
    const body = JSON.stringify({
      resourceMetrics: [
        {
          resource: attributesOf(Object.entries(resource)),
          scopeMetrics: [{ scope: { name: 'mizzen', version }, metrics }],
        },
      ],
    });
    try {
      const answer = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(TIMEOUT),
      });
      await answer.arrayBuffer();
      return answer.ok ? undefined : `it answers ${answer.status}`;
    } catch (error) {
      const { cause, message } = error as Error;
      return cause instanceof Error && cause.message !== '' ? cause.message : message;
    }
  }
}

function metricsUrl(text: string): string {
  const url = new URL(text);
  if (url.pathname === '/') url.pathname = '/v1/metrics';
  return url.href;
}
