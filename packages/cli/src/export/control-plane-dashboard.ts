import { type DashboardPlan, percentiles, quantile, rate } from './panel.ts';
import { JOBS } from './rule.ts';

const JOB = `job="${JOBS.controlPlane}"`;

/** How the control plane does, and the proxies that follow it. */
export const controlPlane: DashboardPlan = {
  uid: 'mizzen-control-plane',
  title: 'Control plane',
  variables: [],
  panels: [
    {
      title: 'Proxies',
      unit: 'short',
      kind: 'stat',
      queries: [
        ['sum(pilot_xds)', 'connected'],
        [`sum(up{job="${JOBS.pods}"})`, 'answer'],
      ],
    },
    {
      title: 'Known',
      unit: 'short',
      kind: 'stat',
      queries: [
        ['pilot_services', 'services'],
        ['pilot_virt_services', 'VirtualServices'],
      ],
    },
    {
      title: 'Resources refused now',
      unit: 'short',
      queries: [['mizzen:refused_resources:sum or vector(0)', '{{node}}']],
    },
    {
      title: 'Resources with mistakes',
      unit: 'short',
      queries: [['sum by (type, name) (pilot_total_rejected_configs) or vector(0)', '{{type}} {{name}}']],
    },
    {
      title: 'Refusals',
      unit: 'short',
      queries: [['sum by (type) (increase(pilot_total_xds_rejects[5m])) or vector(0)', '{{type}}']],
    },
    { title: 'Pushes', unit: 'ops', queries: [[`sum by (type) (${rate('pilot_xds_pushes')})`, '{{type}}']] },
    {
      title: 'Changes',
      unit: 'ops',
      queries: [[`sum by (type) (${rate('pilot_push_triggers')})`, '{{type}}']],
    },
    {
      title: 'A change is in every proxy after',
      unit: 's',
      queries: percentiles((share) => quantile(share, '', 'increase(pilot_proxy_convergence_time_bucket[5m])')),
    },
    {
      title: 'Time of a push, 99 of 100',
      unit: 's',
      queries: [[quantile(0.99, 'type', 'increase(pilot_xds_push_time_bucket[5m])'), '{{type}}']],
    },
    {
      title: 'Bytes sent',
      unit: 'Bps',
      queries: [[`sum by (type) (${rate('pilot_xds_config_size_bytes_sum')})`, '{{type}}']],
    },
    {
      title: 'Certificates issued and refused',
      unit: 'short',
      queries: [
        ['citadel_server_success_cert_issuance_count', 'issued'],
        ['citadel_server_authentication_failure_count + citadel_server_csr_parsing_err_count', 'refused'],
      ],
    },
    {
      title: 'Certificates last for',
      unit: 's',
      queries: [
        ['citadel_server_root_cert_expiry_seconds', 'root'],
        ['min by (workload) (istio_agent_cert_expiry_seconds{resource_name!="ROOTCA"})', '{{workload}}'],
      ],
    },
    {
      title: 'Processor of the control plane',
      unit: 'cores',
      queries: [[rate('process_cpu_seconds_total', JOB), '{{instance}}']],
    },
    {
      title: 'Memory of the control plane',
      unit: 'bytes',
      queries: [
        [`process_resident_memory_bytes{${JOB}}`, 'resident'],
        [`nodejs_heap_size_used_bytes{${JOB}}`, 'heap in use'],
      ],
    },
    {
      title: 'Open files of the control plane',
      unit: 'short',
      queries: [[`process_open_fds{${JOB}}`, '{{instance}}']],
    },
    {
      title: 'Versions',
      unit: 'short',
      kind: 'table',
      queries: [
        ['count by (component, tag) (istio_build)', '{{component}} {{tag}}'],
        ['sum by (version) (pilot_xds)', 'connected {{version}}'],
      ],
    },
  ],
};
