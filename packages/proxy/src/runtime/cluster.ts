import type { OutlierProgram, ThresholdsProgram } from '../program/types.ts';
import { live, liveInteger, livePercentage, withLive, type Live } from './live.ts';
import type { Runtime } from './runtime.ts';

/** `circuit_breakers.<cluster>.<priority>.…` over the thresholds that are configured. */
export function liveThresholds(
  runtime: Runtime | undefined,
  cluster: string,
  priority: 'DEFAULT' | 'HIGH',
  given: ThresholdsProgram,
): ThresholdsProgram {
  const prefix = `circuit_breakers.${cluster}.${priority.toLowerCase()}`;
  const { retryBudget } = given;
  return withLive(runtime, given, (from) => ({
    maxConnections: liveInteger(from, `${prefix}.max_connections`, given.maxConnections),
    maxPendingRequests: liveInteger(from, `${prefix}.max_pending_requests`, given.maxPendingRequests),
    maxRequests: liveInteger(from, `${prefix}.max_requests`, given.maxRequests),
    maxRetries: liveInteger(from, `${prefix}.max_retries`, given.maxRetries),
    retryBudget: live(from, retryBudget, () => {
      const percent = from.get(`${prefix}.retry_budget.budget_percent`);
      const minimum = from.get(`${prefix}.retry_budget.min_retry_concurrency`);
      if (retryBudget === undefined && percent === undefined && minimum === undefined) return undefined;
      return {
        ...retryBudget,
        fraction: percent?.number === undefined ? (retryBudget?.fraction ?? 0.2) : percent.number / 100,
        minConcurrency: minimum?.integer ?? retryBudget?.minConcurrency ?? 3,
      };
    }),
  }));
}

/** `outlier_detection.…`, the same keys for all clusters. */
export function liveOutlier(runtime: Runtime | undefined, given: OutlierProgram): OutlierProgram {
  return withLive(runtime, given, (from) => {
    const number = (name: string, fallback: number): Live<number> =>
      liveInteger(from, `outlier_detection.${name}`, fallback);
    const part = (name: string, fallback: number): Live<number> =>
      livePercentage(from, `outlier_detection.${name}`, fallback);
    return {
      interval: number('interval_ms', given.interval),
      baseEjectionTime: number('base_ejection_time_ms', given.baseEjectionTime),
      maxEjectionTime: number('max_ejection_time_ms', given.maxEjectionTime),
      maxEjectionTimeJitter: number('max_ejection_time_jitter_ms', given.maxEjectionTimeJitter),
      maxEjectionFraction: part('max_ejection_percent', given.maxEjectionFraction),
      consecutive5xx: number('consecutive_5xx', given.consecutive5xx),
      enforcingConsecutive5xx: part('enforcing_consecutive_5xx', given.enforcingConsecutive5xx),
      consecutiveGatewayFailure: number('consecutive_gateway_failure', given.consecutiveGatewayFailure),
      enforcingConsecutiveGatewayFailure: part(
        'enforcing_consecutive_gateway_failure',
        given.enforcingConsecutiveGatewayFailure,
      ),
      consecutiveLocalOriginFailure: number('consecutive_local_origin_failure', given.consecutiveLocalOriginFailure),
      enforcingConsecutiveLocalOriginFailure: part(
        'enforcing_consecutive_local_origin_failure',
        given.enforcingConsecutiveLocalOriginFailure,
      ),
      successRateMinimumHosts: number('success_rate_minimum_hosts', given.successRateMinimumHosts),
      successRateRequestVolume: number('success_rate_request_volume', given.successRateRequestVolume),
      successRateStdevFactor: live(
        from,
        given.successRateStdevFactor,
        () =>
          (from.get('outlier_detection.success_rate_stdev_factor')?.integer ?? given.successRateStdevFactor * 1000) /
          1000,
      ),
      enforcingSuccessRate: part('enforcing_success_rate', given.enforcingSuccessRate),
      enforcingLocalOriginSuccessRate: part(
        'enforcing_local_origin_success_rate',
        given.enforcingLocalOriginSuccessRate,
      ),
      failurePercentageThreshold: part('failure_percentage_threshold', given.failurePercentageThreshold),
      enforcingFailurePercentage: part('enforcing_failure_percentage', given.enforcingFailurePercentage),
      enforcingFailurePercentageLocalOrigin: part(
        'enforcing_failure_percentage_local_origin',
        given.enforcingFailurePercentageLocalOrigin,
      ),
      failurePercentageMinimumHosts: number('failure_percentage_minimum_hosts', given.failurePercentageMinimumHosts),
      failurePercentageRequestVolume: number('failure_percentage_request_volume', given.failurePercentageRequestVolume),
    };
  });
}
