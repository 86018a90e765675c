import { GATEWAY_API } from '@mizzen/api';
import { GATEWAY_NAME_LABEL } from './gateway-api/names.ts';
import { type Labels, fits } from './labels.ts';

/** What says which workloads a policy is for. */
export interface Targeting {
  readonly selector?: { readonly matchLabels?: Labels };
  readonly targetRef?: TargetRef;
  readonly targetRefs?: readonly TargetRef[];
}
interface TargetRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name?: string;
}

export function targetsOf({ targetRef, targetRefs = [] }: Targeting): readonly TargetRef[] {
  if (targetRefs.length > 0) return targetRefs;
  return targetRef === undefined ? [] : [targetRef];
}

/**
 * Whether a policy of `policyNamespace` (the workload's own, or the root namespace) is for a workload. One that names its
 * targets is for the pods of those Gateways of the Gateway API, and for no others; any other goes by its selector.
 */
export function concerns(spec: Targeting, policyNamespace: string, namespace: string, labels: Labels): boolean {
  const targets = targetsOf(spec);
  if (targets.length === 0) return fits(spec.selector?.matchLabels, labels);
  const gateway = labels[GATEWAY_NAME_LABEL];
  if (gateway === undefined || policyNamespace !== namespace) return false;
  return targets.some(({ group, kind, name }) => group === GATEWAY_API && kind === 'Gateway' && name === gateway);
}
