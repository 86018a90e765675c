import type { mesh, networking } from '@mizzen/api';
import type { Path } from '@mizzen/diagnostics';

/** The parts of a TrafficPolicy that shape one cluster, and where each was written (a path below the rule's `spec`). */
export interface EffectivePolicy {
  readonly connectionPool?: networking.ConnectionPoolSettings;
  readonly outlierDetection?: networking.OutlierDetection;
  readonly loadBalancer?: networking.LoadBalancerSettings;
  readonly tls?: networking.ClientTLSSettings;
  readonly proxyProtocol?: networking.TrafficPolicy_ProxyProtocol;
  readonly retryBudget?: networking.TrafficPolicy_RetryBudget;
  readonly tunnel?: networking.TrafficPolicy_TunnelSettings;
  readonly at: Readonly<Partial<Record<PolicyPart, Path>>>;
}

export const POLICY_PARTS = [
  'connectionPool',
  'outlierDetection',
  'loadBalancer',
  'tls',
  'proxyProtocol',
  'retryBudget',
  'tunnel',
] as const;
export type PolicyPart = (typeof POLICY_PARTS)[number];

/** Parts a port's settings replace: all of them, set or not. */
const PORT_PARTS = ['connectionPool', 'outlierDetection', 'loadBalancer', 'tls'] as const;

export const NO_POLICY: EffectivePolicy = { at: {} };

/** What a policy says for one port. Port settings do not inherit from the policy around them. */
export function portPolicy(policy: networking.TrafficPolicy | undefined, port: number, path: Path): EffectivePolicy {
  if (policy === undefined) return NO_POLICY;
  return override(NO_POLICY, policy, port, path);
}

/** MeshConfig's `defaultTrafficPolicy` below what a rule says: each of its parts counts where the rule has none. */
export function overDefaults(policy: EffectivePolicy, defaults: mesh.MeshConfig_DefaultTrafficPolicy): EffectivePolicy {
  const { connectionPool = defaults.connectionPool, outlierDetection = defaults.outlierDetection } = policy;
  return {
    ...policy,
    ...(connectionPool === undefined ? {} : { connectionPool }),
    ...(outlierDetection === undefined ? {} : { outlierDetection }),
  };
}

/** A subset's policy over its rule's: part by part, and for the port's settings all parts at once. */
export function override(
  base: EffectivePolicy,
  policy: networking.TrafficPolicy | undefined,
  port: number,
  path: Path,
): EffectivePolicy {
  if (policy === undefined) return base;
  const out: Record<string, unknown> = { ...base };
  const at: Partial<Record<PolicyPart, Path>> = { ...base.at };
  for (const part of POLICY_PARTS) {
    if (policy[part] === undefined) continue;
    out[part] = policy[part];
    at[part] = [...path, part];
  }
  const settings = policy.portLevelSettings ?? [];
  const index = settings.findIndex((entry) => entry.port?.number === port);
  const own = settings[index];
  if (own !== undefined) {
    for (const part of PORT_PARTS) {
      out[part] = own[part];
      at[part] = own[part] === undefined ? undefined : [...path, 'portLevelSettings', index, part];
    }
  }
  return { ...out, at };
}
