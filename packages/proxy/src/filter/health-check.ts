import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import { compileRequestHeader } from '../program/match/header.ts';
import type { Path } from '../program/path.ts';
import type { Counter } from '../program/types.ts';
import { milliseconds, percent } from '../program/values.ts';
import { ResponseFlag, type HttpFilter, type HttpStream } from '../types.ts';
import type { FilterScope } from './scope.ts';

const CACHED = 'health_check_cached';

interface Answer {
  readonly status: number;
  readonly details: string;
  readonly degraded: boolean;
}
/** What a check of clusters may find. */
const OF_CLUSTERS = {
  health_check_failed_no_cluster_found: 'failed_cluster_not_found',
  health_check_failed_cluster_empty: 'failed_cluster_empty',
  health_check_failed_cluster_unhealthy: 'failed_cluster_unhealthy',
} as const;
const OK: Answer = { status: 200, details: 'health_check_ok', degraded: false };
const HEALTHY: Answer = { ...OK, details: 'health_check_ok_cluster_healthy' };

/** Answers health checks itself, by its own state and that of clusters, or from what the upstream said a while ago. */
export function healthCheckFilter(
  context: CompileContext,
  config: types.healthCheckFilter.HealthCheck,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const { clock, healthFailed, clusterMembers, serviceCluster = '' } = context.deps;
  if (config.passThroughMode === undefined) context.refuse([...path, 'passThroughMode'], 'must be there');
  const passes = config.passThroughMode === true;
  const cacheTime = milliseconds(config.cacheTime, 0);
  // Checks that are passed on are not answered by how clusters are.
  const wanted = Object.entries(passes ? {} : (config.clusterMinHealthyPercentages ?? {})).map(
    ([cluster, share]) => ({ cluster, share: percent(share, 0) * 100 }) as const,
  );
  if (!passes && cacheTime > 0) context.refuse([...path, 'cacheTime'], 'needs `passThroughMode`');
  const headers = (config.headers ?? []).map((matcher, i) =>
    compileRequestHeader(context, matcher, [...path, 'headers', i]),
  );
  const counter = (name: string): Counter => scope.counter(`health_check.${name}`);
  const stats = {
    request_total: counter('request_total'),
    ok: counter('ok'),
    failed: counter('failed'),
    degraded: counter('degraded'),
    cached_response: counter('cached_response'),
    failed_cluster_not_found: counter('failed_cluster_not_found'),
    failed_cluster_empty: counter('failed_cluster_empty'),
    failed_cluster_unhealthy: counter('failed_cluster_unhealthy'),
  };
  /** Those that are passed on are counted as the requests that they are. */
  const count = ({ status, details, degraded }: Answer): void => {
    stats.request_total.value++;
    (status === 200 ? stats.ok : stats.failed).value++;
    if (degraded) stats.degraded.value++;
    if (details === CACHED) stats.cached_response.value++;
    if (details in OF_CLUSTERS) stats[OF_CLUSTERS[details as keyof typeof OF_CLUSTERS]].value++;
  };
  const checks = new WeakSet<HttpStream>();
  let cached: { readonly status: number; readonly degraded: boolean } | undefined;
  let cachedUntil = -1;
  const useCached = (): boolean => cached !== undefined && clock.now() < cachedUntil;

  const ofClusters = (): Answer => {
    for (const { cluster, share } of wanted) {
      const members = clusterMembers?.(cluster);
      if (members === undefined) return failed('health_check_failed_no_cluster_found');
      if (members.total === 0 && share === 0) continue;
      if (members.total === 0) return failed('health_check_failed_cluster_empty');
      if (100 * (members.healthy + members.degraded) < members.total * share)
        return failed('health_check_failed_cluster_unhealthy');
    }
    return wanted.length === 0 ? OK : HEALTHY;
  };
  const answer = (): Answer => {
    if (healthFailed?.() === true) return failed('health_check_failed');
    if (cached !== undefined && cacheTime > 0)
      return { status: cached.status, details: CACHED, degraded: cached.degraded };
    return ofClusters();
  };

  const reply = (stream: HttpStream): 'stop' => {
    const given = answer();
    const { status, details, degraded } = given;
    count(given);
    stream.sendLocalReply(
      status,
      '',
      details,
      status === 200 ? 0 : ResponseFlag.LH,
      degraded ? [['x-envoy-degraded', '']] : [],
    );
    return 'stop';
  };

  return {
    name: scope.name,
    onRequest(stream) {
      for (const header of headers) if (!header.matches(stream.request)) return undefined;
      checks.add(stream);
      stream.info.healthCheck = true;
      if (passes && healthFailed?.() !== true && !useCached()) return undefined;
      if (stream.expectsBody) return stream.passOverBody().then(() => reply(stream));
      return reply(stream);
    },
    onResponse(stream) {
      const { response } = stream;
      if (response === undefined) return undefined;
      if (checks.has(stream)) {
        if (cacheTime > 0 && !useCached()) {
          cached = { status: response.status, degraded: response.headers.has('x-envoy-degraded') };
          cachedUntil = clock.now() + cacheTime;
        }
        response.headers.set('x-envoy-upstream-healthchecked-cluster', serviceCluster);
      }
      if (healthFailed?.() === true) response.headers.set('x-envoy-immediate-health-check-fail', 'true');
      return undefined;
    },
  };
}

function failed(details: string): Answer {
  return { status: 503, details, degraded: false };
}
