import { isGrpc } from '../telemetry/access-log-grpc.ts';
import { routeGroup, virtualClusterGroup, type RequestGroup } from '../telemetry/request-groups.ts';
import type { ClusterStats, RouteEntry, UpstreamCluster } from '../types.ts';
import type { HcmRuntime } from './runtime.ts';
import type { ActiveStream } from './stream.ts';

/** A request that is counted under its cluster and, as its route may say, elsewhere. */
export interface Charged {
  readonly stream: ActiveStream;
  readonly cluster: UpstreamCluster;
  /** What its route has it counted under, besides the cluster. */
  readonly groups: readonly RequestGroup[] | undefined;
  /** It is said to come from within. */
  readonly internal: boolean;
}

/** Under which a route has a request counted, besides the cluster. */
export function groupsOf({ request, hcm }: ActiveStream, route: RouteEntry): RequestGroup[] | undefined {
  const { virtualHost, statPrefix } = route;
  const cluster = virtualHost.virtualCluster?.(request);
  if (cluster === undefined && statPrefix === undefined) return undefined;
  const { requestGroups } = hcm;
  const groups: RequestGroup[] = [];
  if (cluster !== undefined) groups.push(requestGroups.get(virtualClusterGroup(virtualHost.name, cluster)));
  if (statPrefix !== undefined) groups.push(requestGroups.get(routeGroup(virtualHost.name, statPrefix)));
  return groups;
}

/** Counts an answer to a request, wherever that is to be counted. */
export function chargeAnswer(request: Charged, status: number, canary: boolean): void {
  const { stream, groups } = request;
  const { dynamicStats, suppressGrpcRequestFailureCodeStats } = stream.hcm.program.router;
  if (!dynamicStats) return;
  const told = !(suppressGrpcRequestFailureCodeStats && isGrpc(stream.request.headers.get('content-type')));
  charge(request.cluster.stats, told ? status : undefined, request.internal, canary);
  if (groups === undefined) return;
  for (const { codes } of groups) {
    if (told) codes.charge(status);
    else codes.chargeUntold();
  }
}

/** Counts how long the answer to a request took, milliseconds. */
export function chargeAnswerTime(request: Charged, ms: number, canary: boolean): void {
  const { stream, groups } = request;
  if (!stream.hcm.program.router.dynamicStats) return;
  chargeTime(request.cluster.stats, ms, request.internal, canary);
  if (groups !== undefined) for (const group of groups) group.upstream_rq_time.record(ms > 0 ? Math.trunc(ms) : 0);
}

/**
 * Counts an answer of a cluster: by whether another of the mesh asked or anybody, and whether a canary answered. Without
 * a status only that there was one.
 */
export function charge(stats: ClusterStats, status: number | undefined, internal: boolean, canary: boolean): void {
  const { codes } = internal ? stats.internal : stats.external;
  if (status === undefined) codes.chargeUntold();
  else codes.charge(status);
  if (!canary) return;
  if (status === undefined) stats.canary.codes.chargeUntold();
  else stats.canary.codes.charge(status);
}

/** Counts how long an answer took, milliseconds. */
export function chargeTime(stats: ClusterStats, ms: number, internal: boolean, canary: boolean): void {
  const whole = ms > 0 ? Math.trunc(ms) : 0;
  (internal ? stats.internal : stats.external).upstream_rq_time.record(whole);
  if (canary) stats.canary.upstream_rq_time.record(whole);
}

/** Counts an answer to a client by the first digit of its status. */
export function countAnswer({ stats, listenerAnswers }: HcmRuntime, digit: number): void {
  stats.downstream_rq_completed++;
  stats.downstream_rq_xx[digit]!++;
  listenerAnswers.downstream_rq_completed++;
  listenerAnswers.downstream_rq_xx[digit]!++;
}
