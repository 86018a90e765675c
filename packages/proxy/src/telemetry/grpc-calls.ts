import { add, type Histograms, type Values } from './collect.ts';
import { Histogram } from './histogram.ts';

/** Methods are what clients call them, and statuses what upstreams say: so many are told from each other. */
const MAX_METHODS = 1000;
const MAX_STATUSES = 100;

/** What is counted of the gRPC calls to one method, or to all that do not count by themselves. */
export class GrpcCallStats {
  success = 0;
  failure = 0;
  request_message_count = 0;
  response_message_count = 0;
  /** By what the status says, whether or not gRPC knows it. */
  readonly statuses = new Map<string, number>();
  readonly upstream_rq_time = new Histogram();

  charge(success: boolean): void {
    if (success) this.success++;
    else this.failure++;
  }

  chargeStatus(status: string): void {
    const before = this.statuses.get(status);
    if (before !== undefined || this.statuses.size < MAX_STATUSES) this.statuses.set(status, (before ?? 0) + 1);
    this.charge(status === '0');
  }
}

/** Those of a cluster, by `service.method.`; empty: of calls that do not count by themselves. */
export class GrpcCalls {
  readonly #methods = new Map<string, GrpcCallStats>();

  get(method: string): GrpcCallStats {
    let stats = this.#methods.get(method);
    if (stats === undefined && method !== '' && this.#methods.size >= MAX_METHODS) return this.get('');
    if (stats === undefined) this.#methods.set(method, (stats = new GrpcCallStats()));
    return stats;
  }

  /** What never happened has no name. */
  addTo(values: Values, cluster: string): void {
    for (const [method, stats] of this.#methods) {
      const prefix = `${cluster}.grpc.${method}`;
      const { success, failure, request_message_count, response_message_count } = stats;
      const counts = { success, failure, total: success + failure, request_message_count, response_message_count };
      for (const [name, value] of Object.entries(counts)) if (value > 0) add(values, prefix + name, value);
      for (const [status, value] of stats.statuses) add(values, prefix + status, value);
    }
  }

  addHistogramsTo(histograms: Histograms, cluster: string): void {
    for (const [method, { upstream_rq_time: time }] of this.#methods)
      if (time.begun) histograms.set(`${cluster}.grpc.${method}upstream_rq_time`, [time]);
  }
}
