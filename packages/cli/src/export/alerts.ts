import { APPLICATION, type Alert, JOBS, type RuleFile } from './rule.ts';

const SERVICE = '{{ $labels.destination_service }}';
const WORKLOAD = '{{ $labels.workload }}';
const DAY = 86_400;

/** What a person would want to be told of, by what it is about. */
export const ALERTS: RuleFile = {
  groups: [
    { name: 'mizzen-golden-signals', rules: goldenSignals() },
    { name: 'mizzen-workloads', rules: workloads() },
    { name: 'mizzen-proxies', rules: proxies() },
    { name: 'mizzen-certificates', rules: certificates() },
    { name: 'mizzen-control-plane', rules: controlPlane() },
  ],
};

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

/** Latency, traffic, errors, saturation. */
function goldenSignals(): Alert[] {
  return [
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
      'One request in a hundred takes longer than {{ $value | printf "%.0f" }} ms.',
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
      `A circuit breaker of ${WORKLOAD} is open`,
      'Requests to {{ $labels.cluster_name }} are refused because there are too many.',
    ),
    alert(
      'HostsEjected',
      'warning',
      'sum by (namespace, workload, cluster_name) (envoy_cluster_outlier_detection_ejections_active) > 0',
      '0s',
      `${WORKLOAD} avoids hosts of {{ $labels.cluster_name }}`,
      '{{ $value }} of them have failed too often.',
    ),
  ];
}

/** Utilization, saturation, errors of what workloads run on. */
function workloads(): Alert[] {
  return [
    alert(
      'HighCpu',
      'warning',
      `sum by (namespace, pod, container, workload) (rate(container_cpu_usage_seconds_total{${APPLICATION}}[1m])) > 0.9`,
      '5m',
      '{{ $labels.pod }} is busy',
      'Container {{ $labels.container }} uses {{ $value | printf "%.2f" }} cores.',
    ),
    alert(
      'HighMemory',
      'warning',
      `container_memory_working_set_bytes{${APPLICATION}} > 1024 * 1024 * 1024`,
      '5m',
      '{{ $labels.pod }} uses much memory',
      'Container {{ $labels.container }} has {{ $value | humanize1024 }}B.',
    ),
    alert(
      'ManyOpenFiles',
      'warning',
      `container_file_descriptors{${APPLICATION}} > 900`,
      '1m',
      '{{ $labels.pod }} has many files and connections open',
      'Container {{ $labels.container }} has {{ $value }}, and many systems allow 1024.',
    ),
    alert(
      'ContainerRestarts',
      'warning',
      'mizzen:workload_restarts:increase10m > 2',
      '0s',
      `${WORKLOAD} is started again and again`,
      '{{ $value | printf "%.0f" }} times within ten minutes.',
    ),
    alert(
      'ReplicasMissing',
      'warning',
      'kube_deployment_status_replicas_ready < kube_deployment_spec_replicas',
      '1m',
      '{{ $labels.deployment }} lacks replicas',
      'Only {{ $value }} are ready.',
    ),
    alert(
      'ApplicationMetricsMissing',
      'warning',
      'increase(istio_agent_scrape_failures_total{type="application"}[5m]) > 0',
      '5m',
      '{{ $labels.pod }} does not serve the metrics it announces',
      'Its annotations say that Prometheus may ask it.',
    ),
  ];
}

function proxies(): Alert[] {
  return [
    alert(
      'ProxyDown',
      'critical',
      `up{job="${JOBS.pods}",endpoint!="application"} == 0`,
      '30s',
      'The proxy of {{ $labels.pod }} does not answer',
      'Its metrics cannot be read.',
    ),
    alert(
      'MetricsOverflow',
      'warning',
      'sum by (namespace, workload) (increase(mizzen_metrics_overflow_total[5m])) > 0',
      '0s',
      `${WORKLOAD} has more series of metrics than are told apart`,
      'Hosts that clients made up, or values of expressions in Telemetry, count as one.',
    ),
    alert(
      'ConfigurationRejected',
      'warning',
      'mizzen:refused_resources:sum > 0',
      '0s',
      '{{ $labels.node }} refuses its configuration',
      '{{ $value }} resources are not in force there; what it took last stays. `mizzen proxy-status` says why.',
    ),
    alert(
      'TlsFailures',
      'warning',
      'sum by (namespace, workload) (increase(envoy_listener_ssl_connection_error[5m])) > 0 or ' +
        'sum by (namespace, workload) (increase(envoy_listener_ssl_fail_verify_error[5m])) > 0',
      '0s',
      `TLS with ${WORKLOAD} fails`,
      'Handshakes were not completed, or certificates were refused.',
    ),
  ];
}

/** Workloads get a new certificate when a fifth of a day is left; those of gateways are a person's to renew. */
function certificates(): Alert[] {
  const left = '{{ $value | humanizeDuration }} are left.';
  return [
    alert(
      'CertificateNotRenewed',
      'critical',
      'mizzen:certificate_expiry_seconds:min{resource_name="default"} < 2 * 3600',
      '0s',
      `The certificate of ${WORKLOAD} was not renewed`,
      left,
    ),
    alert(
      'GatewayCertificateExpires',
      'warning',
      `mizzen:certificate_expiry_seconds:min{resource_name!~"default|ROOTCA"} < ${7 * DAY}`,
      '0s',
      `{{ $labels.resource_name }} of ${WORKLOAD} expires soon`,
      left,
    ),
    alert(
      'RootCertificateExpires',
      'critical',
      `citadel_server_root_cert_expiry_seconds < ${30 * DAY}`,
      '0s',
      'The root certificate of the mesh expires soon',
      left,
    ),
  ];
}

function controlPlane(): Alert[] {
  return [
    alert(
      'ControlPlaneDown',
      'critical',
      `up{job="${JOBS.controlPlane}"} == 0`,
      '30s',
      'The control plane does not answer',
      'Proxies keep the configuration they have.',
    ),
    alert(
      'ConfigurationInvalid',
      'warning',
      'sum by (type, name) (pilot_total_rejected_configs) > 0',
      '0s',
      '{{ $labels.type }} {{ $labels.name }} has a mistake',
      'The last version without one stays in force, if there was one. `mizzen analyze` says what is wrong.',
    ),
    alert(
      'SlowConvergence',
      'warning',
      'mizzen:convergence_seconds:p99 > 10',
      '5m',
      'Changes take long to reach all proxies',
      'One proxy in a hundred has them after {{ $value | humanizeDuration }}.',
    ),
    alert(
      'CertificatesRefused',
      'warning',
      'increase(citadel_server_authentication_failure_count[5m]) > 0 or increase(citadel_server_csr_sign_err_count[5m]) > 0',
      '0s',
      'Requests for certificates are refused',
      'Proxies could not prove who they are, or a certificate could not be signed.',
    ),
  ];
}
