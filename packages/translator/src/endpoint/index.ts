import type { ClusterLoadAssignment } from '@mizzen/xds';
import { type ClusterPlan, clusterPlan } from '../cluster/plan.ts';
import type { TranslationContext } from '../context.ts';
import { planEndpoints } from './plan-endpoints.ts';

/** Endpoints of every cluster that asks for them (`EDS`), in the order of the clusters. */
export function buildEndpoints(context: TranslationContext): ClusterLoadAssignment[] {
  const out: ClusterLoadAssignment[] = [];
  for (const plan of clusterPlan(context)) {
    if (plan.discovery !== 'EDS') continue;
    out.push(assignment(context, plan));
  }
  return out;
}

function assignment(context: TranslationContext, plan: ClusterPlan): ClusterLoadAssignment {
  const clusterName = plan.name;
  const groups = planEndpoints(context, plan);
  return groups.length === 0 ? { clusterName } : { clusterName, endpoints: groups };
}
