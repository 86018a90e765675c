import type { RouterProgram } from '../program/types.ts';
import { routeGroup, virtualClusterGroup, type RequestGroup } from '../telemetry/request-groups.ts';
import type { AnswersByKind, AnswerStats, ClusterStats, RouteEntry, UpstreamCluster, UpstreamHost } from '../types.ts';
import type { Headers } from './headers.ts';
import { is5xx } from './host-report.ts';
import { newAnswersByKind, newAnswerStats } from '../cluster/stats.ts';
import type { HcmRuntime } from './runtime.ts';
import type { ActiveStream } from './stream.ts';

/** A request that is counted under its cluster and, as its route may say, elsewhere. */
export interface Charged {
  readonly router: Pick<RouterProgram, 'dynamicStats' | 'suppressGrpcRequestFailureCodeStats'>;
  /** It was gRPC when it came to the router, whatever its route makes of it. */
  readonly grpc: boolean;
  readonly info: { readonly healthCheck?: boolean };
  readonly cluster: UpstreamCluster;
  /** What its route has it counted under, besides the cluster. */
  readonly groups: readonly RequestGroup[] | undefined;
  /** And under the name that it gave itself. */
  readonly alternative: AnswersByKind | undefined;
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

/** A canary answers: the host is one, or says so. */
export function isCanary(host: UpstreamHost, headers: Headers): boolean {
  return host.canary === true || headers.get('x-envoy-upstream-canary') === 'true';
}

/** Counts an answer of a host to a request, wherever that is to be counted. */
export function chargeAnswer(request: Charged, status: number, canary: boolean, host?: UpstreamHost): void {
  const { groups, alternative, internal } = request;
  if (!request.router.dynamicStats || request.info.healthCheck === true) return;
  if (is5xx(status)) host?.count?.('error');
  const told = tellsStatus(request);
  const zones = host?.zones;
  charge(request.cluster.stats, status, internal, canary, zones, told);
  if (alternative !== undefined) charge(alternative, status, internal, canary, zones, told);
  if (groups === undefined) return;
  for (const { codes } of groups) codes.charge(status);
}

/** Counts an answer that is tried again. */
export function chargeRetried(request: Charged, status: number): void {
  const { retry } = request.cluster.stats;
  if (tellsStatus(request)) retry.charge(status);
  else retry.chargeUntold(status);
}

function tellsStatus({ router, grpc }: Charged): boolean {
  return !(grpc && router.suppressGrpcRequestFailureCodeStats);
}

/** Counts how long the answer to a request took, milliseconds. */
export function chargeAnswerTime(request: Charged, ms: number, canary: boolean, host?: UpstreamHost): void {
  const { groups, alternative, internal } = request;
  if (!request.router.dynamicStats || request.info.healthCheck === true) return;
  const zones = host?.zones;
  chargeTime(request.cluster.stats, ms, internal, canary, zones);
  if (alternative !== undefined) chargeTime(alternative, ms, internal, canary, zones);
  if (groups !== undefined) for (const group of groups) group.upstream_rq_time.record(ms > 0 ? Math.trunc(ms) : 0);
}

/**
 * Counts an answer of a cluster: by whether another of the mesh asked or anybody, whether a canary answered, and between
 * which zones it went. `told`: all of them together tell its status, too.
 */
export function charge(
  stats: AnswersByKind,
  status: number,
  internal: boolean,
  canary: boolean,
  zones?: string,
  told = true,
): void {
  const { codes } = internal ? stats.internal : stats.external;
  if (told) codes.charge(status);
  else codes.chargeUntold(status);
  if (canary) stats.canary.codes.charge(status);
  if (zones !== undefined) ofZones(stats, zones).codes.charge(status);
}

/** Counts how long an answer took, milliseconds. */
export function chargeTime(stats: AnswersByKind, ms: number, internal: boolean, canary: boolean, zones?: string): void {
  const whole = ms > 0 ? Math.trunc(ms) : 0;
  (internal ? stats.internal : stats.external).upstream_rq_time.record(whole);
  if (canary) stats.canary.upstream_rq_time.record(whole);
  if (zones !== undefined) ofZones(stats, zones).upstream_rq_time.record(whole);
}

/** Names of requests that a cluster's answers are counted under; requests with further ones are counted without. */
const MAX_ALTERNATIVES = 1000;

/** Where answers are counted under a name that their request gave. */
export function alternativeOf({ alternatives }: ClusterStats, name: string): AnswersByKind | undefined {
  let stats = alternatives.get(name);
  if (stats === undefined && alternatives.size < MAX_ALTERNATIVES) alternatives.set(name, (stats = newAnswersByKind()));
  return stats;
}

function ofZones({ zones: all }: AnswersByKind, zones: string): AnswerStats {
  let stats = all.get(zones);
  if (stats === undefined) all.set(zones, (stats = newAnswerStats()));
  return stats;
}

/** Counts an answer to a client by the first digit of its status. */
export function countAnswer({ stats, listenerAnswers }: HcmRuntime, digit: number): void {
  stats.downstream_rq_completed++;
  stats.downstream_rq_xx[digit]!++;
  listenerAnswers.downstream_rq_completed++;
  listenerAnswers.downstream_rq_xx[digit]!++;
}
