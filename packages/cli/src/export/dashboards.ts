/** Grafana dashboards over Istio's metrics and the rules beside this file. */

interface Panel {
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

const rate = (metric: string, where: string): string => `rate(${metric}{${where}}[1m])`;
const quantile = (share: number, by: string, where: string): string =>
  `histogram_quantile(${share}, sum by (le, ${by}) (${rate('istio_request_duration_milliseconds_bucket', where)}))`;

const SERVICE = 'reporter="destination",destination_service=~"$service"';
const INBOUND = 'reporter="destination",destination_workload_namespace=~"$namespace",destination_workload=~"$workload"';
const OUTBOUND = 'reporter="source",source_workload_namespace=~"$namespace",source_workload=~"$workload"';
const ALL = 'reporter="destination"';

export const DASHBOARDS: readonly DashboardPlan[] = [
  {
    uid: 'mizzen-mesh',
    title: 'Mesh',
    variables: [],
    panels: [
      { title: 'Requests', unit: 'reqps', kind: 'stat', queries: [[`sum(${rate('istio_requests_total', ALL)})`, '']] },
      {
        title: 'Success',
        unit: 'percentunit',
        kind: 'stat',
        queries: [
          [
            `sum(${rate('istio_requests_total', `${ALL},response_code!~"5..|0"`)}) / sum(${rate('istio_requests_total', ALL)})`,
            '',
          ],
        ],
      },
      {
        title: 'Requests by service',
        unit: 'reqps',
        queries: [
          [`sum by (destination_service_name) (${rate('istio_requests_total', ALL)})`, '{{destination_service_name}}'],
        ],
      },
      {
        title: 'Errors by service',
        unit: 'percentunit',
        queries: [['mizzen:service_errors:ratio1m', '{{destination_service_name}}']],
      },
      {
        title: 'Latency by service, 99 of 100',
        unit: 'ms',
        queries: [[quantile(0.99, 'destination_service_name', ALL), '{{destination_service_name}}']],
      },
      {
        title: 'Mutual TLS',
        unit: 'reqps',
        queries: [
          [
            `sum by (connection_security_policy) (${rate('istio_requests_total', ALL)})`,
            '{{connection_security_policy}}',
          ],
        ],
      },
    ],
  },
  {
    uid: 'mizzen-service',
    title: 'Service',
    variables: [['service', 'label_values(istio_requests_total{reporter="destination"}, destination_service)']],
    panels: [
      {
        title: 'Requests by response',
        unit: 'reqps',
        queries: [[`sum by (response_code) (${rate('istio_requests_total', SERVICE)})`, '{{response_code}}']],
      },
      {
        title: 'Requests by version',
        unit: 'reqps',
        queries: [
          [`sum by (destination_version) (${rate('istio_requests_total', SERVICE)})`, '{{destination_version}}'],
        ],
      },
      {
        title: 'Requests by client',
        unit: 'reqps',
        queries: [[`sum by (source_workload) (${rate('istio_requests_total', SERVICE)})`, '{{source_workload}}']],
      },
      {
        title: 'Latency',
        unit: 'ms',
        queries: [0.5, 0.9, 0.99].map(
          (share) => [quantile(share, 'destination_service', SERVICE), `p${share * 100}`] as const,
        ),
      },
      {
        title: 'Size of responses, 9 of 10',
        unit: 'bytes',
        queries: [
          [`histogram_quantile(0.9, sum by (le) (${rate('istio_response_bytes_bucket', SERVICE)}))`, 'responses'],
        ],
      },
    ],
  },
  {
    uid: 'mizzen-workload',
    title: 'Workload',
    variables: [
      ['namespace', 'label_values(istio_build, namespace)'],
      ['workload', 'label_values(istio_build{namespace=~"$namespace"}, workload)'],
    ],
    panels: [
      {
        title: 'Requests received',
        unit: 'reqps',
        queries: [
          [
            `sum by (source_workload, response_code) (${rate('istio_requests_total', INBOUND)})`,
            '{{source_workload}} {{response_code}}',
          ],
        ],
      },
      {
        title: 'Requests sent',
        unit: 'reqps',
        queries: [
          [
            `sum by (destination_service_name, response_code) (${rate('istio_requests_total', OUTBOUND)})`,
            '{{destination_service_name}} {{response_code}}',
          ],
        ],
      },
      {
        title: 'Latency of requests received',
        unit: 'ms',
        queries: [0.5, 0.9, 0.99].map(
          (share) => [quantile(share, 'destination_workload', INBOUND), `p${share * 100}`] as const,
        ),
      },
      {
        title: 'Latency of requests sent',
        unit: 'ms',
        queries: [[quantile(0.99, 'destination_service_name', OUTBOUND), '{{destination_service_name}}']],
      },
      {
        title: 'Connections upstream',
        unit: 'short',
        queries: [
          [
            'sum by (cluster_name) (envoy_cluster_upstream_cx_active{namespace=~"$namespace",workload=~"$workload"})',
            '{{cluster_name}}',
          ],
        ],
      },
    ],
  },
  {
    uid: 'mizzen-proxies',
    title: 'Proxies',
    variables: [],
    panels: [
      { title: 'Proxies that answer', unit: 'short', kind: 'stat', queries: [['sum(up{job="mizzen"})', '']] },
      {
        title: 'Updates of clusters and listeners',
        unit: 'short',
        queries: [
          ['sum by (workload) (envoy_cluster_manager_cds_update_success)', '{{workload}} clusters'],
          ['sum by (workload) (envoy_listener_manager_lds_update_success)', '{{workload}} listeners'],
        ],
      },
      {
        title: 'Configurations refused',
        unit: 'short',
        queries: [
          [
            'sum by (workload) (envoy_cluster_manager_cds_update_rejected) + sum by (workload) (envoy_listener_manager_lds_update_rejected)',
            '{{workload}}',
          ],
        ],
      },
      { title: 'Versions', unit: 'short', kind: 'table', queries: [['count by (tag) (istio_build)', '{{tag}}']] },
    ],
  },
];

const SOURCE = { type: 'prometheus', uid: 'mizzen-prometheus' };

/** A dashboard as Grafana has it in files. */
export function dashboard({ uid, title, variables, panels }: DashboardPlan): object {
  return {
    uid,
    title: `Mizzen: ${title}`,
    tags: ['mizzen'],
    timezone: 'browser',
    schemaVersion: 39,
    version: 1,
    refresh: '5s',
    time: { from: 'now-15m', to: 'now' },
    templating: {
      list: variables.map(([name, query]) => ({
        name,
        type: 'query',
        datasource: SOURCE,
        query: { query, refId: name },
        refresh: 2,
        includeAll: true,
        multi: true,
        current: { text: 'All', value: '$__all' },
      })),
    },
    panels: panels.map(({ title: text, unit, kind = 'timeseries', queries }, i) => ({
      id: i + 1,
      type: kind,
      title: text,
      datasource: SOURCE,
      gridPos: { h: 8, w: 12, x: (i % 2) * 12, y: Math.trunc(i / 2) * 8 },
      fieldConfig: { defaults: { unit }, overrides: [] },
      targets: queries.map(([expr, legendFormat], q) => ({
        refId: String.fromCharCode(65 + q),
        datasource: SOURCE,
        expr,
        legendFormat,
      })),
    })),
  };
}

export const DATA_SOURCE = (url: string): object => ({
  apiVersion: 1,
  datasources: [
    { name: 'Mizzen Prometheus', uid: SOURCE.uid, type: 'prometheus', access: 'proxy', url, isDefault: true },
  ],
});
export const PROVIDER = (path: string): object => ({
  apiVersion: 1,
  providers: [{ name: 'mizzen', folder: 'Mizzen', type: 'file', options: { path } }],
});
