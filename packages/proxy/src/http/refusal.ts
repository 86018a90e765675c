import type { RequestGroup } from '../telemetry/request-groups.ts';
import { ResponseFlag, type RouteEntry, type UpstreamCluster } from '../types.ts';
import { alternativeOf, chargeAnswer } from './charge.ts';
import { replyOfRoute } from './direct-reply.ts';
import { strictCheck } from './strict-check.ts';
import type { ActiveStream } from './stream.ts';

/** Answers a request that is not let through to its cluster; says whether it has. */
export function refuse(
  stream: ActiveStream,
  route: RouteEntry,
  cluster: UpstreamCluster,
  groups: readonly RequestGroup[] | undefined,
): boolean {
  const { hcm } = stream;
  const { strictCheckHeaders } = hcm.program.router;
  const bad = stream.mayCarryEnvoyFields ? strictCheck(stream.request.headers, strictCheckHeaders) : undefined;
  if (bad !== undefined) {
    stream.sendLocalReply(400, bad.body, bad.details, ResponseFlag.IH);
    return true;
  }
  const maintenance = cluster.maintenance?.value ?? 0;
  if (maintenance > 0 && hcm.deps.random.float() < maintenance) {
    cluster.stats.upstream_rq_maintenance_mode++;
    unavailable(stream, route, cluster, groups, MAINTENANCE);
    return true;
  }
  const drop = cluster.dropOverload ?? 0;
  if (drop > 0 && hcm.deps.random.float() < drop) {
    cluster.stats.upstream_rq_drop_overload = (cluster.stats.upstream_rq_drop_overload ?? 0) + 1;
    unavailable(stream, route, cluster, groups, drop === 1 ? DROPPED_ALWAYS : DROPPED);
    return true;
  }
  return false;
}

interface Unavailability {
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

function unavailable(
  stream: ActiveStream,
  route: RouteEntry,
  cluster: UpstreamCluster,
  groups: readonly RequestGroup[] | undefined,
  { body, details, flags, field }: Unavailability,
): void {
  const { headers } = stream.request;
  const name = headers.get('x-envoy-upstream-alt-stat-name');
  const alternative = name === undefined ? undefined : alternativeOf(cluster.stats, name);
  const internal = headers.get('x-envoy-internal') === 'true';
  cluster.stats.load.dropped++;
  chargeAnswer({ stream, cluster, groups, alternative, internal }, 503, false);
  const fields: [string, string][] = stream.hcm.program.router.suppressEnvoyHeaders ? [] : [[field, 'true']];
  replyOfRoute(stream, route, { status: 503, body, details, flags, fields });
}
