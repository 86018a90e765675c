import type { ClusterHost } from '../cluster/host.ts';
import type { Clock } from '../deps.ts';
import type { AccessLogSink } from '../http/runtime.ts';
import type { RateJudgement } from './outlier-rates.ts';

/** Envoy's names of what a host can be ejected for. */
export type Reason =
  | 'consecutive_5xx'
  | 'consecutive_gateway_failure'
  | 'consecutive_local_origin_failure'
  | 'success_rate'
  | 'local_origin_success_rate'
  | 'failure_percentage'
  | 'local_origin_failure_percentage'
  | 'degradation';

/** As Envoy's OutlierEjectionType spells them. */
const TYPES: Readonly<Record<Reason, string>> = {
  consecutive_5xx: 'CONSECUTIVE_5XX',
  consecutive_gateway_failure: 'CONSECUTIVE_GATEWAY_FAILURE',
  consecutive_local_origin_failure: 'CONSECUTIVE_LOCAL_ORIGIN_FAILURE',
  success_rate: 'SUCCESS_RATE',
  local_origin_success_rate: 'SUCCESS_RATE_LOCAL_ORIGIN',
  failure_percentage: 'FAILURE_PERCENTAGE',
  local_origin_failure_percentage: 'FAILURE_PERCENTAGE_LOCAL_ORIGIN',
  degradation: 'DEGRADED',
};

/** A host as far as the log speaks of it. Times are the clock's, in milliseconds. */
export interface JudgedHost {
  readonly host: ClusterHost;
  readonly ejections: number;
  readonly ejectedAt: number | undefined;
  readonly returnedAt: number | undefined;
  readonly rates: { readonly external: number; readonly local: number };
}

/** Envoy's log of ejections: a line of JSON for every one, enforced or not, and for every return. */
export class OutlierLog {
  readonly #sink: AccessLogSink;
  readonly #clock: Clock;

  constructor(sink: AccessLogSink, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
  }

  ejected(judged: JudgedHost, reason: Reason, enforced: boolean, { average, threshold }: RateJudgement): void {
    const rate = Math.trunc(reason.startsWith('local') ? judged.rates.local : judged.rates.external);
    const detail = reason.endsWith('success_rate')
      ? {
          eject_success_rate_event: {
            host_success_rate: rate,
            cluster_average_success_rate: Math.trunc(average),
            cluster_success_rate_ejection_threshold: Math.trunc(threshold),
          },
        }
      : reason.endsWith('failure_percentage')
        ? { eject_failure_percentage_event: { host_success_rate: rate } }
        : { eject_consecutive_event: {} };
    this.#write(judged, TYPES[reason], 'EJECT', judged.returnedAt, enforced, detail);
  }

  returned(judged: JudgedHost): void {
    this.#write(judged, TYPES.consecutive_5xx, 'UNEJECT', judged.ejectedAt, false, {});
  }

  #write(
    { host, ejections }: JudgedHost,
    type: string,
    action: string,
    last: number | undefined,
    enforced: boolean,
    detail: object,
  ): void {
    const since = last === undefined ? undefined : Math.trunc((this.#clock.now() - last) / 1000);
    const line = JSON.stringify({
      type,
      timestamp: new Date(this.#clock.wall()).toISOString(),
      ...(since === undefined ? {} : { secs_since_last_action: String(since) }),
      cluster_name: host.cluster.name,
      upstream_url: host.authority,
      action,
      num_ejections: ejections,
      enforced,
      ...detail,
    });
    this.#sink.write(`${Buffer.from(line, 'utf8').toString('latin1')}\n`);
  }
}
