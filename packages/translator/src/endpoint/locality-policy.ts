import type { mesh, networking } from '@mizzen/api';
import type { Service } from '@mizzen/model';
import type { EffectivePolicy } from '../cluster/policy.ts';

type Setting = networking.LocalityLoadBalancerSetting;

/** How much the places of a service's endpoints matter. */
export interface LocalityPolicy {
  /** Undefined: not at all. */
  readonly setting: Setting | undefined;
  /** Whether endpoints get priorities by where they are. */
  readonly failover: boolean;
  /** Envoy itself keeps traffic in the client's zone; only regions get priorities. */
  readonly zoneAware: networking.ZoneAwareLoadBalancerSetting | undefined;
}

const NETWORK = 'topology.istio.io/network';
const REGION = 'topology.kubernetes.io/region';
const ZONE = 'topology.kubernetes.io/zone';

/** Labels that endpoints share with the client, the first one before all others. */
const DISTRIBUTIONS: Readonly<Record<Exclude<Service['trafficDistribution'], 'any'>, readonly string[]>> = {
  network: [NETWORK],
  region: [NETWORK, REGION],
  zone: [NETWORK, REGION, ZONE],
  node: [NETWORK, REGION, ZONE, 'topology.istio.io/subzone', 'kubernetes.io/hostname'],
};

/**
 * What the rule says goes before what the service says, and that before the mesh. Envoy leaves a priority only when
 * endpoints of it fail, and learns of that by outlier detection; a service's own wish does without.
 */
export function localityPolicy(
  { loadBalancer, outlierDetection }: EffectivePolicy,
  { trafficDistribution }: Service,
  config: mesh.MeshConfig,
): LocalityPolicy {
  const failover = outlierDetection !== undefined;
  const own = loadBalancer?.localityLbSetting;
  if (own !== undefined) return plain(own, failover);
  const zoneAware = loadBalancer?.zoneAwareLbSetting;
  if (zoneAware !== undefined) {
    return zoneAware.enabled === false ? { ...plain(undefined, failover), zoneAware } : byZone(zoneAware);
  }
  if (trafficDistribution !== 'any')
    return plain({ enabled: true, failoverPriority: DISTRIBUTIONS[trafficDistribution] }, true);
  if (config.zoneAwareLbSetting?.enabled === true) return byZone(config.zoneAwareLbSetting);
  return plain(config.localityLbSetting, failover);
}

function plain(setting: Setting | undefined, failover: boolean): LocalityPolicy {
  return { setting: setting?.enabled === false ? undefined : setting, failover, zoneAware: undefined };
}

function byZone(zoneAware: networking.ZoneAwareLoadBalancerSetting): LocalityPolicy {
  const { failover, failoverPriority } = zoneAware;
  return { setting: { enabled: true, failover, failoverPriority }, failover: true, zoneAware };
}
