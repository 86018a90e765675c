/** Recording rules and alerts over Istio's metrics, as Prometheus' rule files have them. */

interface Recording {
  readonly record: string;
  readonly expr: string;
}
export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: 'critical' | 'warning' };
  readonly annotations: { readonly summary: string; readonly description: string };
}
export interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly (Recording | Alert)[] }[];
}

const BY_SERVICE = 'destination_service, destination_service_name, destination_service_namespace';
const BY_WORKLOAD = 'destination_workload, destination_workload_namespace, destination_version';

/** Rates, errors and durations, as the receiving side sees them. */
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
  ],
};

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

function alert(
  name: string,
  severity: Alert['labels']['severity'],
  expr: string,
  lasting: string,
  summary: string,
  description: string,
): Alert {
  return { alert: name, expr, for: lasting, labels: { severity }, annotations: { summary, description } };
}

const SERVICE = '{{ $labels.destination_service }}';

export const ALERTS: RuleFile = {
  groups: [
    {
      name: 'mizzen-golden-signals',
      rules: [
        alert(
          'HighErrorRate',
          'critical',
          'mizzen:service_errors:ratio1m > 0.05',
          '30s',
          `${SERVICE} fails`,
          '{{ $value | humanizePercentage }} of the requests are answered with an error of the server.',
        ),
        alert(
          'HighLatency',
          'warning',
          'mizzen:service_duration_milliseconds:p99 > 1000',
          '1m',
          `${SERVICE} is slow`,
          'One request in a hundred takes longer than {{ $value }} ms.',
        ),
        alert(
          'ClientsSeeErrors',
          'warning',
          'mizzen:source_errors:ratio1m > 0.05',
          '30s',
          `{{ $labels.source_workload }} gets errors from ${SERVICE}`,
          '{{ $value | humanizePercentage }} of its requests fail, be it on the way.',
        ),
        alert(
          'NoTraffic',
          'warning',
          'mizzen:service_requests:rate1m == 0 and mizzen:service_requests:rate1m offset 10m > 0',
          '5m',
          `${SERVICE} gets no requests any more`,
          'There were some ten minutes ago.',
        ),
        alert(
          'CircuitBreakerOpen',
          'warning',
          'sum by (namespace, workload, cluster_name) (increase(envoy_cluster_upstream_rq_pending_overflow[1m])) > 0',
          '0s',
          'A circuit breaker of {{ $labels.workload }} is open',
          'Requests to {{ $labels.cluster_name }} are refused because there are too many.',
        ),
        alert(
          'HostsEjected',
          'warning',
          'sum by (namespace, workload, cluster_name) (envoy_cluster_outlier_detection_ejections_active) > 0',
          '0s',
          '{{ $labels.workload }} avoids hosts of {{ $labels.cluster_name }}',
          '{{ $value }} of them have failed too often.',
        ),
      ],
    },
    {
      name: 'mizzen-proxies',
      rules: [
        alert(
          'ProxyDown',
          'critical',
          'up{job="mizzen"} == 0',
          '30s',
          'The proxy of {{ $labels.pod }} does not answer',
          'Its metrics cannot be read.',
        ),
        alert(
          'ConfigurationRejected',
          'warning',
          'sum by (namespace, workload) (increase(envoy_cluster_manager_cds_update_rejected[5m])) > 0 or ' +
            'sum by (namespace, workload) (increase(envoy_listener_manager_lds_update_rejected[5m])) > 0',
          '0s',
          'The proxy of {{ $labels.workload }} refuses its configuration',
          'The last one that it took stays in force.',
        ),
        alert(
          'TlsFailures',
          'warning',
          'sum by (namespace, workload) (increase(envoy_listener_ssl_connection_error[5m])) > 0 or ' +
            'sum by (namespace, workload) (increase(envoy_listener_ssl_fail_verify_error[5m])) > 0',
          '0s',
          'TLS with {{ $labels.workload }} fails',
          'Handshakes were not completed, or certificates were refused.',
        ),
        alert(
          'ApplicationMetricsMissing',
          'warning',
          'increase(istio_agent_scrape_failures_total{type="application"}[5m]) > 0',
          '5m',
          '{{ $labels.pod }} does not serve the metrics it announces',
          'Its annotations say that Prometheus may ask it.',
        ),
      ],
    },
  ],
};
