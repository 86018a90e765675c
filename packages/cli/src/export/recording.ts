import { APPLICATION, type Recording, type RuleFile } from './rule.ts';

const BY_SERVICE = 'destination_service, destination_service_name, destination_service_namespace';
const BY_WORKLOAD = 'destination_workload, destination_workload_namespace, destination_version';

/** Rates, errors and durations as the receiving side sees them, what workloads use, and how the control plane does. */
export const RECORDING: RuleFile = {
  groups: [
    {
      name: 'mizzen-red',
      rules: [
        ...red('service', BY_SERVICE, 'reporter="destination"'),
        ...red('workload', BY_WORKLOAD, 'reporter="destination"'),
        ...red('source', `source_workload, source_workload_namespace, ${BY_SERVICE}`, 'reporter="source"'),
      ],
    },
    {
      name: 'mizzen-use',
      rules: [
        use('cpu_cores:rate1m', `rate(container_cpu_usage_seconds_total{${APPLICATION}}[1m])`),
        use('memory:bytes', `container_memory_working_set_bytes{${APPLICATION}}`),
        use('open_files:sum', `container_file_descriptors{${APPLICATION}}`),
        use('restarts:increase10m', 'increase(kube_pod_container_status_restarts_total[10m])'),
        {
          record: 'mizzen:workload_overflows:rate1m',
          expr: 'sum by (namespace, workload) (rate(envoy_cluster_upstream_rq_pending_overflow[1m]))',
        },
      ],
    },
    {
      name: 'mizzen-recorded',
      rules: [
        { record: 'mizzen:pushes:rate1m', expr: 'sum by (type) (rate(pilot_xds_pushes[1m]))' },
        ...[50, 99].map((percent) => ({
          record: `mizzen:convergence_seconds:p${percent}`,
          expr: `histogram_quantile(${percent / 100}, sum by (le) (rate(pilot_proxy_convergence_time_bucket[5m])))`,
        })),
        { record: 'mizzen:refused_resources:sum', expr: `sum by (node) ({__name__=~"pilot_xds_[a-z]+_reject"})` },
        {
          record: 'mizzen:certificate_expiry_seconds:min',
          expr: 'min by (namespace, workload, resource_name) (istio_agent_cert_expiry_seconds)',
        },
      ],
    },
  ],
};

function use(name: string, expr: string): Recording {
  return { record: `mizzen:workload_${name}`, expr: `sum by (namespace, workload) (${expr})` };
}

function red(level: string, by: string, where: string): Recording[] {
  const rate = (metric: string, more = '', labels = by): string =>
    `sum by (${labels}) (rate(${metric}{${where}${more}}[1m]))`;
  const quantile = (share: number): string =>
    `histogram_quantile(${share}, ${rate('istio_request_duration_milliseconds_bucket', '', `le, ${by}`)})`;
  return [
    { record: `mizzen:${level}_requests:rate1m`, expr: rate('istio_requests_total') },
    {
      record: `mizzen:${level}_errors:ratio1m`,
      expr:
        `(${rate('istio_requests_total', ',response_code=~"5..|0"')} or 0 * ${rate('istio_requests_total')})` +
        ` / ${rate('istio_requests_total')}`,
    },
    ...[50, 90, 99].map((percent) => ({
      record: `mizzen:${level}_duration_milliseconds:p${percent}`,
      expr: quantile(percent / 100),
    })),
  ];
}
