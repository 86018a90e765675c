import type { Service, ServicePort } from '@mizzen/model';
import type { ClusterLoadAssignment } from '@mizzen/xds';
import { localitySetting } from '../cluster/load-balancer.ts';
import { clusterPlan } from '../cluster/plan.ts';
import type { TranslationContext } from '../context.ts';
import { localityEndpoints } from './localities.ts';

/** Endpoints of every cluster that asks for them (`EDS`), in the order of the clusters. */
export function buildEndpoints(context: TranslationContext): ClusterLoadAssignment[] {
  const out: ClusterLoadAssignment[] = [];
  for (const plan of clusterPlan(context)) {
    if (plan.discovery !== 'EDS') continue;
    out.push(assignment(context, plan.name, plan.service, plan.port, plan));
  }
  return out;
}

function assignment(
  context: TranslationContext,
  clusterName: string,
  service: Service,
  port: ServicePort,
  plan: ReturnType<typeof clusterPlan>[number],
): ClusterLoadAssignment {
  const { model } = context;
  const endpoints = model.endpoints(service, port, plan.subset?.labels);
  const groups = localityEndpoints(
    context,
    endpoints,
    {
      setting: localitySetting(plan.policy.loadBalancer?.localityLbSetting, model.mesh),
      failover: plan.policy.outlierDetection !== undefined,
    },
    true,
  );
  return groups.length === 0 ? { clusterName } : { clusterName, endpoints: groups };
}
