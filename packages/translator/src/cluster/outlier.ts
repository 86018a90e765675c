import type { networking } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import type { Draft } from '../draft.ts';
import { duration } from '../duration.ts';
import { type ClusterDraft, httpOptions } from './draft.ts';

/** Ejection by errors in a row, or by their share. Ejection by success rate is off: Istio has no settings for it. */
export function applyOutlierDetection(draft: ClusterDraft, settings: networking.OutlierDetection | undefined): void {
  if (settings === undefined) return;
  const out: Draft<types.cluster.OutlierDetection> = { enforcingSuccessRate: 0 };
  const serverErrors = settings.consecutive5xxErrors;
  if (serverErrors !== undefined) {
    out.consecutive5xx = serverErrors;
    out.enforcingConsecutive5xx = serverErrors > 0 ? 100 : 0;
  }
  const gatewayErrors = settings.consecutiveGatewayErrors;
  if (gatewayErrors !== undefined) {
    out.consecutiveGatewayFailure = gatewayErrors;
    out.enforcingConsecutiveGatewayFailure = gatewayErrors > 0 ? 100 : 0;
  }
  if (settings.failurePercentageThreshold !== undefined) {
    out.failurePercentageThreshold = settings.failurePercentageThreshold;
    out.enforcingFailurePercentage = 100;
  }
  if (settings.interval !== undefined) out.interval = duration(settings.interval);
  if (settings.baseEjectionTime !== undefined) out.baseEjectionTime = duration(settings.baseEjectionTime);
  if ((settings.maxEjectionPercent ?? 0) > 0) out.maxEjectionPercent = settings.maxEjectionPercent;
  if (settings.splitExternalLocalOriginErrors === true) {
    out.splitExternalLocalOriginErrors = true;
    out.enforcingLocalOriginSuccessRate = 0;
    const local = settings.consecutiveLocalOriginFailures ?? 0;
    if (local > 0) {
      out.consecutiveLocalOriginFailure = local;
      out.enforcingConsecutiveLocalOriginFailure = 100;
    }
  }
  draft.cluster.outlierDetection = out;
  const codes = settings.outlierDetectionHttpErrorCodes ?? [];
  if (codes.length > 0) httpOptions(draft).outlierDetection = { errorMatcher: anyStatus(codes) };
  const minHealth = settings.minHealthPercent ?? 0;
  draft.cluster.commonLbConfig = {
    ...draft.cluster.commonLbConfig,
    healthyPanicThreshold: minHealth > 0 ? { value: minHealth } : {},
  };
}

/** Responses that count as errors, in place of those of 500 and above. */
function anyStatus(codes: readonly number[]): types.commonMatcher.MatchPredicate {
  const rules = codes.map((code) => ({
    httpResponseHeadersMatch: { headers: [{ name: ':status', stringMatch: { exact: String(code) } }] },
  }));
  return rules.length === 1 ? rules[0]! : { orMatch: { rules } };
}
