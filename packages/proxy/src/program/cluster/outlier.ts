import type { types } from '@mizzen/xds';
import { liveOutlier } from '../../runtime/cluster.ts';
import type { CompileContext } from '../context.ts';
import type { OutlierProgram } from '../types.ts';
import { milliseconds } from '../values.ts';

/** Whole percents become fractions. */
const part = (value: number | undefined, fallback: number): number => Math.min(100, value ?? fallback) / 100;

export function compileOutlier(
  context: CompileContext,
  outlier: types.cluster.OutlierDetection | undefined,
): OutlierProgram | undefined {
  if (outlier === undefined) return undefined;
  const baseEjectionTime = milliseconds(outlier.baseEjectionTime, 30_000);
  const maxEjectionTime = milliseconds(outlier.maxEjectionTime, Math.max(baseEjectionTime, 300_000));
  if (maxEjectionTime < baseEjectionTime)
    context.refuse(['outlierDetection', 'maxEjectionTime'], 'must be at least `baseEjectionTime`');
  return liveOutlier(context.deps.runtime, {
    interval: milliseconds(outlier.interval, 10_000),
    baseEjectionTime,
    maxEjectionTime,
    maxEjectionTimeJitter: milliseconds(outlier.maxEjectionTimeJitter, 0),
    maxEjectionFraction: part(outlier.maxEjectionPercent, 10),
    consecutive5xx: outlier.consecutive5xx ?? 5,
    enforcingConsecutive5xx: part(outlier.enforcingConsecutive5xx, 100),
    consecutiveGatewayFailure: outlier.consecutiveGatewayFailure ?? 5,
    enforcingConsecutiveGatewayFailure: part(outlier.enforcingConsecutiveGatewayFailure, 0),
    splitExternalLocalOriginErrors: outlier.splitExternalLocalOriginErrors === true,
    consecutiveLocalOriginFailure: outlier.consecutiveLocalOriginFailure ?? 5,
    enforcingConsecutiveLocalOriginFailure: part(outlier.enforcingConsecutiveLocalOriginFailure, 100),
    successRateMinimumHosts: outlier.successRateMinimumHosts ?? 5,
    successRateRequestVolume: outlier.successRateRequestVolume ?? 100,
    successRateStdevFactor: (outlier.successRateStdevFactor ?? 1900) / 1000,
    enforcingSuccessRate: part(outlier.enforcingSuccessRate, 100),
    enforcingLocalOriginSuccessRate: part(outlier.enforcingLocalOriginSuccessRate, 100),
    failurePercentageThreshold: part(outlier.failurePercentageThreshold, 85),
    enforcingFailurePercentage: part(outlier.enforcingFailurePercentage, 0),
    enforcingFailurePercentageLocalOrigin: part(outlier.enforcingFailurePercentageLocalOrigin, 0),
    failurePercentageMinimumHosts: outlier.failurePercentageMinimumHosts ?? 5,
    failurePercentageRequestVolume: outlier.failurePercentageRequestVolume ?? 50,
    alwaysEjectOneHost: outlier.alwaysEjectOneHost === true,
    detectDegradedHosts: outlier.detectDegradedHosts === true,
    successfulActiveHealthCheckUnejectHost: outlier.successfulActiveHealthCheckUnejectHost ?? true,
  });
}
