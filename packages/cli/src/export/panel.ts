export interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly kind?: 'timeseries' | 'stat' | 'table';
  readonly queries: readonly (readonly [expr: string, legend: string])[];
  /** Requests that were traced are dots in it, each with a link to its trace. */
  readonly exemplars?: boolean;
}
export interface DashboardPlan {
  readonly uid: string;
  readonly title: string;
  /** Name of a variable and the query that its values come from. */
  readonly variables: readonly (readonly [name: string, query: string])[];
  readonly panels: readonly Panel[];
}

/** Over as long as Grafana finds right for how often the data source is scraped and how much time is shown. */
export const rate = (metric: string, where = ''): string => `rate(${metric}{${where}}[$__rate_interval])`;

/** A percentile of a histogram, by labels or over all. */
export function quantile(share: number, by: string, buckets: string): string {
  return `histogram_quantile(${share}, sum by (${by === '' ? 'le' : `le, ${by}`}) (${buckets}))`;
}

export const latency = (share: number, by: string, where: string): string =>
  quantile(share, by, rate('istio_request_duration_milliseconds_bucket', where));

export const percentiles = (expr: (share: number) => string): Panel['queries'] =>
  [0.5, 0.9, 0.99].map((share) => [expr(share), `p${share * 100}`] as const);
