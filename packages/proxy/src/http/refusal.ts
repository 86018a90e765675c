import { ResponseFlag, type RouteEntry, type UpstreamCluster } from '../types.ts';
import { charge } from './charge.ts';
import { replyOfRoute } from './direct-reply.ts';
import { strictCheck } from './strict-check.ts';
import type { ActiveStream } from './stream.ts';

/** Answers a request that is not let through to its cluster; says whether it has. */
export function refuse(stream: ActiveStream, route: RouteEntry, cluster: UpstreamCluster): boolean {
  const { hcm } = stream;
  const { strictCheckHeaders, runtime } = hcm.program.router;
  const bad = stream.mayCarryEnvoyFields ? strictCheck(stream.request.headers, strictCheckHeaders) : undefined;
  if (bad !== undefined) {
    stream.sendLocalReply(400, bad.body, bad.details, ResponseFlag.IH);
    return true;
  }
  if (runtime !== undefined && hcm.deps.random.float() < runtime.maintenance(cluster.name)) {
    cluster.stats.upstream_rq_maintenance_mode++;
    unavailable(stream, route, cluster, 'maintenance mode', ResponseFlag.UO, 'x-envoy-overloaded');
    return true;
  }
  const drop = cluster.dropOverload ?? 0;
  if (drop > 0 && hcm.deps.random.float() < drop) {
    cluster.stats.upstream_rq_drop_overload = (cluster.stats.upstream_rq_drop_overload ?? 0) + 1;
    if (drop === 1)
      unavailable(
        stream,
        route,
        cluster,
        'unconditional drop overload',
        ResponseFlag.UDO,
        'x-envoy-unconditional-drop-overload',
      );
    else unavailable(stream, route, cluster, 'drop overload', ResponseFlag.DO, 'x-envoy-drop-overload');
    return true;
  }
  return false;
}

function unavailable(
  stream: ActiveStream,
  route: RouteEntry,
  cluster: UpstreamCluster,
  why: string,
  flags: number,
  field: string,
): void {
  cluster.stats.load.dropped++;
  charge(cluster.stats, 503, stream.request.headers.get('x-envoy-internal') === 'true', false);
  const fields: [string, string][] = stream.hcm.program.router.suppressEnvoyHeaders ? [] : [[field, 'true']];
  replyOfRoute(stream, route, { status: 503, body: why, details: why.replaceAll(' ', '_'), flags, fields });
}
