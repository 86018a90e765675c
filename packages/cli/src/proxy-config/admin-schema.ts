import type { FieldSchema } from '@mizzen/proxy/program/schema.ts';

type Fields = Readonly<Record<string, FieldSchema>>;

const ADMIN = 'envoy.admin.v3.';
const string: FieldSchema = { t: 'string' };
const bool: FieldSchema = { t: 'bool' };
const uint32: FieldSchema = { t: 'uint32' };
const any: FieldSchema = { t: 'google.protobuf.Any' };
const time: FieldSchema = { t: 'google.protobuf.Timestamp' };
const admin = (name: string): FieldSchema => ({ t: ADMIN + name });
const many = (field: FieldSchema): FieldSchema => ({ ...field, r: 1 });

/** What every dynamic resource of a dump ends with. */
const outcome: Fields = { errorState: admin('UpdateFailureState'), clientStatus: admin('ClientResourceStatus') };
const dynamic = (field: string): Fields => ({ versionInfo: string, [field]: any, lastUpdated: time, ...outcome });
const fixed = (field: string): Fields => ({ [field]: any, lastUpdated: time });

/**
 * Envoy's admin API as far as istioctl reads it (envoy/admin/v3/config_dump.proto, config_dump_shared.proto and
 * clusters.proto), fields in the order in which they are declared.
 */
export const ADMIN_SCHEMA: Readonly<Record<string, Fields>> = Object.fromEntries(
  Object.entries<Fields>({
    ConfigDump: { configs: many(any) },
    BootstrapConfigDump: { bootstrap: { t: 'envoy.config.bootstrap.v3.Bootstrap' }, lastUpdated: time },
    ClustersConfigDump: {
      versionInfo: string,
      staticClusters: many(admin('ClustersConfigDump.StaticCluster')),
      dynamicActiveClusters: many(admin('ClustersConfigDump.DynamicCluster')),
      dynamicWarmingClusters: many(admin('ClustersConfigDump.DynamicCluster')),
    },
    'ClustersConfigDump.StaticCluster': fixed('cluster'),
    'ClustersConfigDump.DynamicCluster': dynamic('cluster'),
    ListenersConfigDump: {
      versionInfo: string,
      staticListeners: many(admin('ListenersConfigDump.StaticListener')),
      dynamicListeners: many(admin('ListenersConfigDump.DynamicListener')),
    },
    'ListenersConfigDump.StaticListener': fixed('listener'),
    'ListenersConfigDump.DynamicListenerState': { versionInfo: string, listener: any, lastUpdated: time },
    'ListenersConfigDump.DynamicListener': {
      name: string,
      activeState: admin('ListenersConfigDump.DynamicListenerState'),
      warmingState: admin('ListenersConfigDump.DynamicListenerState'),
      drainingState: admin('ListenersConfigDump.DynamicListenerState'),
      ...outcome,
    },
    RoutesConfigDump: {
      staticRouteConfigs: many(admin('RoutesConfigDump.StaticRouteConfig')),
      dynamicRouteConfigs: many(admin('RoutesConfigDump.DynamicRouteConfig')),
    },
    'RoutesConfigDump.StaticRouteConfig': fixed('routeConfig'),
    'RoutesConfigDump.DynamicRouteConfig': dynamic('routeConfig'),
    ScopedRoutesConfigDump: {
      inlineScopedRouteConfigs: many(admin('ScopedRoutesConfigDump.InlineScopedRouteConfigs')),
      dynamicScopedRouteConfigs: many(admin('ScopedRoutesConfigDump.DynamicScopedRouteConfigs')),
    },
    'ScopedRoutesConfigDump.InlineScopedRouteConfigs': {
      name: string,
      scopedRouteConfigs: many(any),
      lastUpdated: time,
    },
    'ScopedRoutesConfigDump.DynamicScopedRouteConfigs': {
      name: string,
      versionInfo: string,
      scopedRouteConfigs: many(any),
      lastUpdated: time,
      ...outcome,
    },
    EndpointsConfigDump: {
      staticEndpointConfigs: many(admin('EndpointsConfigDump.StaticEndpointConfig')),
      dynamicEndpointConfigs: many(admin('EndpointsConfigDump.DynamicEndpointConfig')),
    },
    'EndpointsConfigDump.StaticEndpointConfig': fixed('endpointConfig'),
    'EndpointsConfigDump.DynamicEndpointConfig': dynamic('endpointConfig'),
    SecretsConfigDump: {
      staticSecrets: many(admin('SecretsConfigDump.StaticSecret')),
      dynamicActiveSecrets: many(admin('SecretsConfigDump.DynamicSecret')),
      dynamicWarmingSecrets: many(admin('SecretsConfigDump.DynamicSecret')),
    },
    'SecretsConfigDump.StaticSecret': { name: string, lastUpdated: time, secret: any },
    'SecretsConfigDump.DynamicSecret': {
      name: string,
      versionInfo: string,
      lastUpdated: time,
      secret: any,
      ...outcome,
    },
    EcdsConfigDump: { ecdsFilters: many(admin('EcdsConfigDump.EcdsFilterConfig')) },
    'EcdsConfigDump.EcdsFilterConfig': dynamic('ecdsFilter'),
    UpdateFailureState: {
      failedConfiguration: any,
      lastUpdateAttempt: time,
      details: string,
      versionInfo: string,
    },
    Clusters: { clusterStatuses: many(admin('ClusterStatus')) },
    ClusterStatus: {
      name: string,
      addedViaApi: bool,
      successRateEjectionThreshold: { t: 'envoy.type.v3.Percent' },
      hostStatuses: many(admin('HostStatus')),
      localOriginSuccessRateEjectionThreshold: { t: 'envoy.type.v3.Percent' },
      circuitBreakers: { t: 'envoy.config.cluster.v3.CircuitBreakers' },
      observabilityName: string,
      edsServiceName: string,
    },
    HostStatus: {
      address: { t: 'envoy.config.core.v3.Address' },
      stats: many(admin('SimpleMetric')),
      healthStatus: admin('HostHealthStatus'),
      successRate: { t: 'envoy.type.v3.Percent' },
      weight: uint32,
      hostname: string,
      priority: uint32,
      localOriginSuccessRate: { t: 'envoy.type.v3.Percent' },
      locality: { t: 'envoy.config.core.v3.Locality' },
    },
    HostHealthStatus: {
      failedActiveHealthCheck: bool,
      failedOutlierCheck: bool,
      failedActiveDegradedCheck: bool,
      pendingDynamicRemoval: bool,
      pendingActiveHc: bool,
      excludedViaImmediateHcFail: bool,
      activeHcTimeout: bool,
      edsHealthStatus: { t: 'envoy.config.core.v3.HealthStatus' },
    },
    SimpleMetric: { type: admin('SimpleMetric.Type'), value: { t: 'uint64' }, name: string },
  }).map(([name, fields]) => [ADMIN + name, fields]),
);

/** Enums of the admin API: name → number. */
export const ADMIN_ENUMS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  [`${ADMIN}ClientResourceStatus`]: {
    UNKNOWN: 0,
    REQUESTED: 1,
    DOES_NOT_EXIST: 2,
    ACKED: 3,
    NACKED: 4,
    RECEIVED_ERROR: 5,
    TIMEOUT: 6,
  },
  [`${ADMIN}SimpleMetric.Type`]: { COUNTER: 0, GAUGE: 1 },
};
