import type { ClusterHost } from '../cluster/host.ts';
import type { ManagedCluster } from '../cluster/managed.ts';
import type { LocalityProgram } from '../program/types.ts';
import { addressOf } from './clusters.ts';

/** A cluster's hosts as an assignment, however they were found. */
export function assignmentOf({ program, cluster }: ManagedCluster): object {
  const { endpoints } = cluster;
  const localities = endpoints?.localities ?? [];
  // Hosts that names stand for always have some.
  const noMetadata = program.type === 'STRICT_DNS' || program.type === 'LOGICAL_DNS' ? { metadata: {} } : {};
  return {
    '@type': 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
    cluster_name: program.type === 'EDS' ? program.edsServiceName : program.name,
    ...(localities.length === 0 ? {} : { endpoints: localities.map(inLocality) }),
    policy: { overprovisioning_factor: endpoints?.overprovisioningFactor ?? 140 },
  };
  function inLocality(locality: (typeof localities)[number]): object {
    return {
      locality: localityOf(locality),
      lb_endpoints: locality.endpoints.flatMap((endpoint) => {
        const host = cluster.hostOf(endpoint);
        return host === undefined ? [] : [{ ...noMetadata, ...endpointOf(host) }];
      }),
      load_balancing_weight: locality.weight ?? 0,
      ...(locality.priority === 0 ? {} : { priority: locality.priority }),
    };
  }
}

export function localityOf({ region, zone, subZone }: LocalityProgram): object {
  return {
    ...(region === '' ? {} : { region }),
    ...(zone === '' ? {} : { zone }),
    ...(subZone === '' ? {} : { sub_zone: subZone }),
  };
}

function endpointOf(host: ClusterHost): object {
  const { endpoint, hostname, weight } = host;
  const check = {
    ...(endpoint.healthCheckAddress === undefined ? {} : { port_value: endpoint.healthCheckAddress.port }),
    ...(endpoint.healthCheckHostname === '' ? {} : { hostname: endpoint.healthCheckHostname }),
    ...(endpoint.healthCheckDisabled ? { disable_active_health_check: true } : {}),
  };
  return {
    endpoint: {
      address: addressOf(host),
      health_check_config: check,
      ...(hostname === '' ? {} : { hostname }),
    },
    // How it is, whatever was said of it.
    health_status: host.availability.toUpperCase(),
    ...(endpoint.metadata === undefined ? {} : { metadata: { filter_metadata: endpoint.metadata } }),
    load_balancing_weight: weight,
  };
}
