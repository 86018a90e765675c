export interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly kind?: 'timeseries' | 'stat' | 'table';
  readonly queries: readonly (readonly [expr: string, legend: string])[];
}
export interface DashboardPlan {
  readonly uid: string;
  readonly title: string;
  /** Name of a variable and the query that its values come from. */
  readonly variables: readonly (readonly [name: string, query: string])[];
  readonly panels: readonly Panel[];
}

export const rate = (metric: string, where = ''): string => `rate(${metric}{${where}}[1m])`;

/** A percentile of a histogram, by labels or over all. */
export function quantile(share: number, by: string, buckets: string): string {
  return `histogram_quantile(${share}, sum by (${by === '' ? 'le' : `le, ${by}`}) (${buckets}))`;
}

export const latency = (share: number, by: string, where: string): string =>
  quantile(share, by, rate('istio_request_duration_milliseconds_bucket', where));

export const percentiles = (expr: (share: number) => string): Panel['queries'] =>
  [0.5, 0.9, 0.99].map((share) => [expr(share), `p${share * 100}`] as const);
