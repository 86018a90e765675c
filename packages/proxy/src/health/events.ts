import type { ClusterHost } from '../cluster/host.ts';
import type { Clock } from '../deps.ts';
import type { AccessLogSink } from '../http/runtime.ts';
import type { CheckProgram, HealthCheckProgram, LocalityProgram } from '../program/types.ts';

const TYPES: Readonly<Record<CheckProgram['kind'], string>> = {
  http: 'HTTP',
  tcp: 'TCP',
  grpc: 'GRPC',
  redis: 'REDIS',
};

/** One of the fields of Envoy's HealthCheckEvent that say what happened. */
export type HealthEvent =
  | { readonly eject_unhealthy_event: object }
  | { readonly add_healthy_event: object }
  | { readonly health_check_failure_event: object }
  | { readonly degraded_healthy_host: object }
  | { readonly no_longer_degraded_host: object }
  | { readonly successful_health_check_event: object };

/** Fields of the event come where their numbers place them. */
const BEFORE_TIME = ['eject_unhealthy_event', 'add_healthy_event'];
const AFTER_LOCALITY = ['successful_health_check_event'];

/** Writes what happens to a host to the files of its check, in Envoy's words. */
export function healthEventLog(
  program: HealthCheckProgram,
  sinks: readonly AccessLogSink[],
  clock: Clock,
): ((host: ClusterHost, event: HealthEvent) => void) | undefined {
  if (sinks.length === 0) return undefined;
  const type = TYPES[program.check.kind];
  return (host, event) => {
    const [name] = Object.keys(event) as [string];
    const place = BEFORE_TIME.includes(name) ? 0 : AFTER_LOCALITY.includes(name) ? 2 : 1;
    const { metadata } = host.endpoint;
    const line = JSON.stringify({
      health_checker_type: type,
      host: addressInFull(host),
      cluster_name: host.cluster.name,
      ...(place === 0 ? event : {}),
      timestamp: new Date(clock.wall()).toISOString(),
      ...(place === 1 ? event : {}),
      ...(metadata === undefined ? {} : { metadata: { filter_metadata: metadata, typed_filter_metadata: {} } }),
      locality: localityInFull(host),
      ...(place === 2 ? event : {}),
    });
    for (const sink of sinks) sink.write(`${Buffer.from(line, 'utf8').toString('latin1')}\n`);
  };
}

/** With all fields, whether they say something or not. */
export function addressInFull(host: ClusterHost): object {
  const { address } = host.endpoint;
  if (address.kind === 'pipe') return { pipe: { path: address.path, mode: 0 } };
  if (address.kind === 'internal') {
    return { envoy_internal_address: { server_listener_name: address.name, endpoint_id: host.endpoint.endpointId } };
  }
  return {
    socket_address: {
      protocol: 'TCP',
      address: address.address,
      port_value: address.port,
      resolver_name: '',
      ipv4_compat: false,
      network_namespace_filepath: '',
    },
  };
}

function localityInFull(host: ClusterHost): object {
  const of: LocalityProgram | undefined = host.cluster.endpoints?.localities.find(({ endpoints }) =>
    endpoints.includes(host.endpoint),
  );
  return { region: of?.region ?? '', zone: of?.zone ?? '', sub_zone: of?.subZone ?? '' };
}
