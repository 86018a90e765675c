import type { Random } from '../deps.ts';
import { ResponseFlag, type UpstreamCluster } from '../types.ts';

/** What stands in the place of an answer of a cluster that does not get a request. */
export interface Unavailability {
  readonly body: string;
  readonly details: string;
  readonly flags: number;
  /** Tells the client. */
  readonly field: string;
}
const MAINTENANCE: Unavailability = {
  body: 'maintenance mode',
  details: 'maintenance_mode',
  flags: ResponseFlag.UO,
  field: 'x-envoy-overloaded',
};
const DROPPED: Unavailability = {
  body: 'drop overload',
  details: 'drop_overload',
  flags: ResponseFlag.DO,
  field: 'x-envoy-drop-overload',
};
const DROPPED_ALWAYS: Unavailability = {
  body: 'unconditional drop overload',
  details: 'unconditional_drop_overload',
  flags: ResponseFlag.UDO,
  field: 'x-envoy-unconditional-drop-overload',
};

/** Why a cluster does not get a request, if so, which its own counters then say. */
export function unavailability(cluster: UpstreamCluster, random: Random): Unavailability | undefined {
  const { stats } = cluster;
  const maintenance = cluster.maintenance?.value ?? 0;
  if (maintenance > 0 && random.float() < maintenance) {
    stats.upstream_rq_maintenance_mode++;
    stats.load.dropped++;
    return MAINTENANCE;
  }
  const drop = cluster.dropOverload ?? 0;
  if (drop === 0 || random.float() >= drop) return undefined;
  stats.upstream_rq_drop_overload = (stats.upstream_rq_drop_overload ?? 0) + 1;
  stats.load.dropped++;
  return drop === 1 ? DROPPED_ALWAYS : DROPPED;
}
