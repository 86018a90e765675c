import { Histogram } from './histogram.ts';

/** How much of its time a request needed, in percent. */
export interface TimeoutBudgets {
  readonly upstream_rq_timeout_budget_percent_used: Histogram;
  readonly upstream_rq_timeout_budget_per_try_percent_used: Histogram;
}

/** Of each attempt, and of what came back: bytes, and how many fields. */
export interface MessageSizes {
  readonly upstream_rq_headers_size: Histogram;
  readonly upstream_rq_headers_count: Histogram;
  readonly upstream_rq_body_size: Histogram;
  readonly upstream_rs_headers_size: Histogram;
  readonly upstream_rs_headers_count: Histogram;
  readonly upstream_rs_body_size: Histogram;
}

/** What a cluster is asked to count beside what all count. */
export interface Tracked {
  readonly budgets: TimeoutBudgets | undefined;
  readonly sizes: MessageSizes | undefined;
}

/** What of these a cluster tracks. */
export interface TrackingProgram {
  readonly budgets: boolean;
  readonly sizes: boolean;
  /** Each endpoint has counters of its own among the statistics. */
  readonly endpoints: boolean;
}

export function newBudgets(): TimeoutBudgets {
  return {
    upstream_rq_timeout_budget_percent_used: new Histogram(),
    upstream_rq_timeout_budget_per_try_percent_used: new Histogram(),
  };
}

export function newSizes(): MessageSizes {
  return {
    upstream_rq_headers_size: new Histogram(),
    upstream_rq_headers_count: new Histogram(),
    upstream_rq_body_size: new Histogram(),
    upstream_rs_headers_size: new Histogram(),
    upstream_rs_headers_count: new Histogram(),
    upstream_rs_body_size: new Histogram(),
  };
}

/** What a cluster counts by its program, in what it has counted before. */
export function trackedBy(
  { budgets, sizes }: TrackingProgram,
  known: { budgets: TimeoutBudgets | undefined; sizes: MessageSizes | undefined },
): Tracked | undefined {
  if (!budgets && !sizes) return undefined;
  if (budgets) known.budgets ??= newBudgets();
  if (sizes) known.sizes ??= newSizes();
  return { budgets: budgets ? known.budgets : undefined, sizes: sizes ? known.sizes : undefined };
}

/** Of a time without an end nothing is used. */
export function percentOf(elapsed: number, limit: number): number {
  return limit > 0 ? Math.trunc((Math.max(0, Math.trunc(elapsed)) * 100) / limit) : 0;
}
