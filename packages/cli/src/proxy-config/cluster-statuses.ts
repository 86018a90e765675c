import { type Dump, isObject, list, message, type Raw, text } from './read-dump.ts';

/**
 * What a proxy that took a dump's clusters and endpoints would answer to `/clusters?format=json`, as far as they tell: no
 * counters, and nothing of what health checks and outlier detection found. Endpoints of unknown health count as healthy,
 * as in Envoy.
 */
export function statusesFromConfig(dump: Dump): object {
  const endpoints = dump.find('EndpointsConfigDump');
  const assignments = new Map(
    [...list(endpoints, 'dynamicEndpointConfigs'), ...list(endpoints, 'staticEndpointConfigs')]
      .map(({ endpointConfig }) => message(endpointConfig))
      .map((each) => [text(each, 'clusterName'), each]),
  );
  const part = dump.part('ClustersConfigDump');
  const clusters = (field: string, addedViaApi: boolean): object[] =>
    list(part, field).map(({ cluster }) => clusterStatus(message(cluster), assignments, addedViaApi));
  return { clusterStatuses: [...clusters('dynamicActiveClusters', true), ...clusters('staticClusters', false)] };
}

function clusterStatus(cluster: Raw, assignments: ReadonlyMap<string, Raw>, addedViaApi: boolean): object {
  const name = text(cluster, 'name');
  const service = text(message(cluster, 'edsClusterConfig'), 'serviceName');
  const assignment = isObject(cluster['edsClusterConfig'])
    ? assignments.get(service === '' ? name : service)
    : cluster['loadAssignment'];
  return {
    name,
    addedViaApi,
    hostStatuses: list(assignment, 'endpoints').flatMap((group) =>
      list(group, 'lbEndpoints').map((endpoint) => hostStatus(endpoint, group)),
    ),
    observabilityName: text(cluster, 'altStatName') === '' ? name : text(cluster, 'altStatName'),
    ...(service === '' ? {} : { edsServiceName: service }),
  };
}

function hostStatus(endpoint: Raw, group: Raw): object {
  const { address, hostname } = message(endpoint, 'endpoint');
  const health = text(endpoint, 'healthStatus');
  return {
    address: message(address),
    healthStatus: { edsHealthStatus: health === '' || health === 'UNKNOWN' ? 'HEALTHY' : health },
    weight: endpoint['loadBalancingWeight'] ?? 1,
    ...(hostname === undefined ? {} : { hostname }),
    ...(group['priority'] === undefined ? {} : { priority: group['priority'] }),
    locality: message(group, 'locality'),
  };
}
