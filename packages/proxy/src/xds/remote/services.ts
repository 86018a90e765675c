import { TypeUrl } from '@mizzen/xds';

const AGGREGATED = '/envoy.service.discovery.v3.AggregatedDiscoveryService/';

/** Methods of the aggregated service: state of the world, incremental. */
export const ADS = {
  world: `${AGGREGATED}StreamAggregatedResources`,
  incremental: `${AGGREGATED}DeltaAggregatedResources`,
};

const of = (kind: string, service: string, method: string): typeof ADS => ({
  world: `/envoy.service.${kind}.v3.${service}DiscoveryService/Stream${method}`,
  incremental: `/envoy.service.${kind}.v3.${service}DiscoveryService/Delta${method}`,
});

/** Methods of the services for one type each. */
export const SERVICES: Readonly<Record<string, typeof ADS>> = {
  [TypeUrl.cluster]: of('cluster', 'Cluster', 'Clusters'),
  [TypeUrl.endpoint]: of('endpoint', 'Endpoint', 'Endpoints'),
  [TypeUrl.extension]: of('extension', 'ExtensionConfig', 'ExtensionConfigs'),
  [TypeUrl.listener]: of('listener', 'Listener', 'Listeners'),
  [TypeUrl.route]: of('route', 'Route', 'Routes'),
  [TypeUrl.runtime]: of('runtime', 'Runtime', 'Runtime'),
  [TypeUrl.secret]: of('secret', 'Secret', 'Secrets'),
};
