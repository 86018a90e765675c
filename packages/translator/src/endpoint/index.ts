import type { Endpoint, MeshModel } from '@mizzen/model';
import type { ClusterLoadAssignment } from '@mizzen/xds';
import { type ClusterPlan, clusterPlan } from '../cluster/plan.ts';
import type { TranslationContext } from '../context.ts';
import { placeKey, planEndpoints, wholePlace } from './plan-endpoints.ts';

type Assignments = readonly ClusterLoadAssignment[];

interface Lists {
  readonly registry: MeshModel['registry'];
  readonly placed: boolean;
  readonly byPlace: Map<string, Assignments>;
}
const lists = new WeakMap<readonly ClusterPlan[], Lists>();

/**
 * Endpoints of every cluster that asks for them (`EDS`), in the order of the clusters: one list for all proxies with the
 * same clusters and, where it matters, at the same place.
 */
export function buildEndpoints(context: TranslationContext): Assignments {
  const plans = clusterPlan(context);
  const { registry } = context.model;
  let known = lists.get(plans);
  if (known?.registry !== registry) {
    const placed = known?.placed ?? plans.some((plan) => placeKey(context, plan) !== '');
    lists.set(plans, (known = { registry, placed, byPlace: new Map() }));
  }
  const place = known.placed ? wholePlace(context) : '';
  let list = known.byPlace.get(place);
  if (list === undefined) {
    list = plans.filter(({ discovery }) => discovery === 'EDS').map((plan) => cachedAssignment(context, plan));
    known.byPlace.set(place, list);
  }
  return list;
}

interface Built {
  readonly from: readonly Endpoint[];
  readonly assignment: ClusterLoadAssignment;
}
const cache = new WeakMap<ClusterPlan, Map<string, Built>>();

/** Only where locality settings are in force do endpoints look different from different places. */
function cachedAssignment(context: TranslationContext, plan: ClusterPlan): ClusterLoadAssignment {
  let variants = cache.get(plan);
  if (variants === undefined) cache.set(plan, (variants = new Map()));
  const key = placeKey(context, plan);
  const from = context.model.endpoints(plan.service, plan.port);
  let built = variants.get(key);
  if (built?.from !== from) variants.set(key, (built = { from, assignment: assignment(context, plan) }));
  return built.assignment;
}

function assignment(context: TranslationContext, plan: ClusterPlan): ClusterLoadAssignment {
  const clusterName = plan.name;
  const groups = planEndpoints(context, plan);
  return groups.length === 0 ? { clusterName } : { clusterName, endpoints: groups };
}
