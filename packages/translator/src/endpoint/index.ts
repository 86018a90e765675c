import type { ClusterLoadAssignment } from '@mizzen/xds';
import { type ClusterPlan, clusterPlan } from '../cluster/plan.ts';
import type { TranslationContext } from '../context.ts';
import { placeKey, planEndpoints } from './plan-endpoints.ts';

/** Endpoints of every cluster that asks for them (`EDS`), in the order of the clusters. */
export function buildEndpoints(context: TranslationContext): ClusterLoadAssignment[] {
  const out: ClusterLoadAssignment[] = [];
  for (const plan of clusterPlan(context)) {
    if (plan.discovery !== 'EDS') continue;
    out.push(cachedAssignment(context, plan));
  }
  return out;
}

const cache = new WeakMap<ClusterPlan, Map<string, ClusterLoadAssignment>>();

/** Only where locality settings are in force do endpoints look different from different places. */
function cachedAssignment(context: TranslationContext, plan: ClusterPlan): ClusterLoadAssignment {
  let variants = cache.get(plan);
  if (variants === undefined) cache.set(plan, (variants = new Map()));
  const key = placeKey(context, plan);
  let built = variants.get(key);
  if (built === undefined) variants.set(key, (built = assignment(context, plan)));
  return built;
}

function assignment(context: TranslationContext, plan: ClusterPlan): ClusterLoadAssignment {
  const clusterName = plan.name;
  const groups = planEndpoints(context, plan);
  return groups.length === 0 ? { clusterName } : { clusterName, endpoints: groups };
}
