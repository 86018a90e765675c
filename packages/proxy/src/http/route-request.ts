import { ResponseFlag, type RouteDecision, type RouteEntry } from '../types.ts';
import { answerNow } from '../program/route/find.ts';
import { groupsOf } from './charge.ts';
import { replyDirectly } from './direct-reply.ts';
import { refuse } from './refusal.ts';
import { Router } from './router.ts';
import type { ActiveStream } from './stream.ts';

/** Where a route sends a request; undefined: the request has been answered without going anywhere. */
export function routeRequest(stream: ActiveStream): Router | undefined {
  const decision = stream.route();
  const { hcm, info } = stream;
  const { stats } = hcm;
  stats.rq_total++;
  switch (decision.kind) {
    case 'none':
      stats.no_route++;
      stream.sendLocalReply(404, '', 'route_not_found', ResponseFlag.NR);
      return undefined;
    case 'redirect':
    case 'direct':
      // As in Envoy, where `rq_redirect` is for redirects that are followed here.
      stats.rq_direct_response++;
      replyDirectly(stream, answerNow(decision, stream.request, info));
      return undefined;
    case 'cluster':
      return toCluster(stream, decision, decision.route);
  }
}

function toCluster(
  stream: ActiveStream,
  decision: Extract<RouteDecision, { kind: 'cluster' }>,
  route: RouteEntry,
): Router | undefined {
  const { hcm, info } = stream;
  let action = route.action!;
  const cluster = hcm.cluster(decision.cluster);
  if (cluster === undefined) {
    hcm.stats.no_cluster++;
    stream.sendLocalReply(action.clusterNotFoundStatus, '', 'cluster_not_found', ResponseFlag.NC);
    return undefined;
  }
  const policies = cluster.http?.policies;
  if (policies !== undefined) action = { ...action, ...policies };
  const { virtualCluster } = route.virtualHost;
  if (virtualCluster !== undefined) info.virtualClusterName = virtualCluster(stream.request);
  const groups = groupsOf(stream, route);
  return refuse(stream, route, cluster, groups) ? undefined : new Router(stream, decision, cluster, action, groups);
}
