export type * from './types.ts';
export { buildModel, gatewayServices } from './build.ts';
export type { ModelOptions } from './build.ts';
export {
  GATEWAY_CLASS_LABEL,
  GATEWAY_NAME_LABEL,
  Grants,
  PREFIX_MARK,
  controllerOf,
  gatewayHosts,
  hasGatewaySemantics,
  isManaged,
  managedName,
  managedServiceAccount,
} from './gateway-api/index.ts';
export type { GatewayApi } from './gateway-api/index.ts';
export type { WorkloadOptions } from './workloads.ts';
export { protocolOf, servicePortProtocol } from './protocol.ts';
export { endpointLabels } from './endpoints.ts';
export { hostsOverlap, intersectHosts, isSubsetOf, isWildcard, mostSpecific } from './hosts.ts';
export { fits, fitsSelector, isEmpty, labelsKey } from './labels.ts';
export type { Labels } from './labels.ts';
export { byAge } from './order.ts';
export { concerns, targetsOf } from './targets.ts';
export type { Targeting } from './targets.ts';
export { modelProblems } from './problems.ts';
export { MESH_GATEWAY } from './virtual-services.ts';
export { HOSTNAME_LABEL, NETWORK_LABEL, REGION_LABEL, SUBZONE_LABEL, ZONE_LABEL } from './localities.ts';
export { gatewayLabels } from './networks.ts';
export { isVisible } from './visibility.ts';
