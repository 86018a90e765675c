import type { Clock } from '@mizzen/control-plane';
import { Repeated } from '../../otlp/repeated.ts';
import { Reception, receiverUrl, type Refusal, send } from '../../otlp/send.ts';
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

/** So many origins are read at once. */
const AT_ONCE = 8;

/** Sends all metrics of a mesh to an OTLP receiver, again and again: a report for each of those they are of. */
export class OtlpExporter {
  readonly #options: OtlpExporterOptions;
  readonly #url: string;
  readonly #reception: Reception;
  readonly #reports: Repeated;

  constructor(options: OtlpExporterOptions) {
    this.#options = options;
    this.#url = receiverUrl(options.url, '/v1/metrics');
    this.#reception = new Reception('metrics', this.#url, options.onNotice);
    this.#reports = new Repeated(options.clock, options.interval, () => this.#report());
  }

  close(): void {
    this.#reports.close();
  }

  async #report(): Promise<void> {
    const origins = [...this.#options.origins()];
    const refusals: Refusal[] = [];
    const work = async (): Promise<void> => {
      for (let origin = origins.shift(); origin !== undefined && !this.#reports.closed; origin = origins.shift()) {
        const { read } = origin;
        const text = await Promise.try(read).catch(() => undefined);
        // One that cannot be asked is missing there as it would be in Prometheus.
        if (text === undefined) continue;
        const refusal = await this.#send(origin.resource, text);
        if (refusal !== undefined) refusals.push(refusal);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (!this.#reports.closed) this.#reception.saw(refusals[0]);
  }

  /** Undefined: it was taken. */
  #send(resource: Readonly<Record<string, string>>, text: string): Promise<Refusal | undefined> {
    const { clock, version } = this.#options;
    const metrics = toOtlp(readFamilies(text), clock.wall());
    if (metrics.length === 0) return Promise.resolve(undefined);
    return send(this.#url, {
      resourceMetrics: [
        {
          resource: attributesOf(Object.entries(resource)),
          scopeMetrics: [{ scope: { name: 'mizzen', version }, metrics }],
        },
      ],
    });
  }
}
