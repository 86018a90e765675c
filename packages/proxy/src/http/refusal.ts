import { isGrpc } from '../telemetry/access-log-grpc.ts';
import type { RequestGroup } from '../telemetry/request-groups.ts';
import { ResponseFlag, type RouteEntry, type UpstreamCluster } from '../types.ts';
import { alternativeOf, chargeAnswer } from './charge.ts';
import { replyOfRoute } from './direct-reply.ts';
import { strictCheck } from './strict-check.ts';
import type { ActiveStream } from './stream.ts';
import { unavailability, type Unavailability } from './unavailability.ts';

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
  const why = unavailability(cluster, hcm.deps.random);
  if (why === undefined) return false;
  unavailable(stream, route, cluster, groups, why);
  return true;
}

function unavailable(
  stream: ActiveStream,
  route: RouteEntry,
  cluster: UpstreamCluster,
  groups: readonly RequestGroup[] | undefined,
  { body, details, flags, field }: Unavailability,
): void {
  const { hcm, info } = stream;
  const { router } = hcm.program;
  const { headers } = stream.request;
  const name = headers.get('x-envoy-upstream-alt-stat-name');
  const alternative = name === undefined ? undefined : alternativeOf(cluster.stats, name);
  const internal = headers.get('x-envoy-internal') === 'true';
  const grpc = isGrpc(headers.get('content-type'));
  chargeAnswer({ router, grpc, info, cluster, groups, alternative, internal }, 503, false);
  const fields: [string, string][] = router.suppressEnvoyHeaders ? [] : [[field, 'true']];
  replyOfRoute(stream, route, { status: 503, body, details, flags, fields });
}
