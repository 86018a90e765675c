import { type DashboardPlan, latency, type Panel, percentiles, quantile, rate } from './panel.ts';

/** Dashboards over Istio's metrics and over what workloads use. */

const SERVICE = 'reporter="destination",destination_service=~"$service"';
const INBOUND = 'reporter="destination",destination_workload_namespace=~"$namespace",destination_workload=~"$workload"';
const OUTBOUND = 'reporter="source",source_workload_namespace=~"$namespace",source_workload=~"$workload"';
const PODS = 'namespace=~"$namespace",workload=~"$workload"';
/** Two namespaces may have services of one name. */
const SERVICE_NAME = 'destination_service_name, destination_service_namespace';
const NAMED = '{{destination_service_name}}.{{destination_service_namespace}}';
const ALL = 'reporter="destination"';
/** What never happened has no series. */
const orNone = (expr: string): string => `${expr} or vector(0)`;

export const mesh: DashboardPlan = {
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
      queries: [[`sum by (${SERVICE_NAME}) (${rate('istio_requests_total', ALL)})`, NAMED]],
    },
    {
      title: 'Errors by service',
      unit: 'percentunit',
      queries: [['mizzen:service_errors:ratio1m', NAMED]],
    },
    {
      title: 'Latency by service, 99 of 100',
      unit: 'ms',
      queries: [[latency(0.99, SERVICE_NAME, ALL), NAMED]],
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
    {
      title: 'Bytes of connections that are not HTTP',
      unit: 'Bps',
      queries: [
        [orNone(`sum by (${SERVICE_NAME}) (${rate('istio_tcp_sent_bytes_total', ALL)})`), `sent ${NAMED}`],
        [orNone(`sum by (${SERVICE_NAME}) (${rate('istio_tcp_received_bytes_total', ALL)})`), `received ${NAMED}`],
      ],
    },
    {
      title: 'Saturation: requests refused by circuit breakers',
      unit: 'reqps',
      queries: [['mizzen:workload_overflows:rate1m', '{{workload}}']],
    },
  ],
};

export const service: DashboardPlan = {
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
      title: 'Errors',
      unit: 'percentunit',
      queries: [['mizzen:service_errors:ratio1m{destination_service=~"$service"}', NAMED]],
    },
    {
      title: 'Latency',
      unit: 'ms',
      exemplars: true,
      queries: percentiles((share) => latency(share, '', SERVICE)),
    },
    {
      title: 'Latency by version, 99 of 100',
      unit: 'ms',
      queries: [[latency(0.99, 'destination_version', SERVICE), '{{destination_version}}']],
    },
    {
      title: 'Requests by version',
      unit: 'reqps',
      queries: [[`sum by (destination_version) (${rate('istio_requests_total', SERVICE)})`, '{{destination_version}}']],
    },
    {
      title: 'Requests by client',
      unit: 'reqps',
      queries: [[`sum by (source_workload) (${rate('istio_requests_total', SERVICE)})`, '{{source_workload}}']],
    },
    {
      title: 'Errors that clients see',
      unit: 'percentunit',
      queries: [['mizzen:source_errors:ratio1m{destination_service=~"$service"}', '{{source_workload}}']],
    },
    {
      title: 'Sizes, 9 of 10',
      unit: 'bytes',
      queries: [
        [quantile(0.9, '', rate('istio_request_bytes_bucket', SERVICE)), 'requests'],
        [quantile(0.9, '', rate('istio_response_bytes_bucket', SERVICE)), 'responses'],
      ],
    },
  ],
};

export const workload: DashboardPlan = {
  uid: 'mizzen-workload',
  title: 'Workload',
  variables: [
    ['namespace', 'label_values(istio_build{component="proxy"}, namespace)'],
    ['workload', 'label_values(istio_build{component="proxy",namespace=~"$namespace"}, workload)'],
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
          `sum by (${SERVICE_NAME}, response_code) (${rate('istio_requests_total', OUTBOUND)})`,
          `${NAMED} {{response_code}}`,
        ],
      ],
    },
    {
      title: 'Latency of requests received',
      unit: 'ms',
      exemplars: true,
      queries: percentiles((share) => latency(share, '', INBOUND)),
    },
    {
      title: 'Latency of requests sent, 99 of 100',
      unit: 'ms',
      queries: [[latency(0.99, SERVICE_NAME, OUTBOUND), NAMED]],
    },
    {
      title: 'Connections upstream',
      unit: 'short',
      queries: [[`sum by (cluster_name) (envoy_cluster_upstream_cx_active{${PODS}})`, '{{cluster_name}}']],
    },
    ...use(),
    {
      title: 'Certificates last for',
      unit: 's',
      queries: [
        [`min by (pod, resource_name) (istio_agent_cert_expiry_seconds{${PODS}})`, '{{pod}} {{resource_name}}'],
      ],
    },
  ],
};

/** Utilization, saturation and errors, pod by pod. */
function use(): Panel[] {
  const by = (expr: string): string => `sum by (pod, container) (${expr})`;
  const legend = '{{pod}} {{container}}';
  return [
    { title: 'Processor', unit: 'cores', queries: [[by(rate('container_cpu_usage_seconds_total', PODS)), legend]] },
    { title: 'Memory', unit: 'bytes', queries: [[by(`container_memory_working_set_bytes{${PODS}}`), legend]] },
    { title: 'Open files', unit: 'short', queries: [[by(`container_file_descriptors{${PODS}}`), legend]] },
    {
      title: 'Restarts',
      unit: 'short',
      queries: [[by(`kube_pod_container_status_restarts_total{${PODS}}`), legend]],
    },
  ];
}
