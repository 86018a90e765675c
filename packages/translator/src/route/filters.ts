import { parseDuration, type networking } from '@mizzen/api';
import type { Route, types } from '@mizzen/xds';
import type { Draft } from '../draft.ts';
import { duration } from '../duration.ts';
import { stringMatcher } from './match.ts';

const FAULT = 'envoy.filters.http.fault';
const CORS = 'envoy.filters.http.cors';

/** What a route tells the fault and CORS filters. */
export function perFilterConfig(http: networking.HTTPRoute): Pick<Route, 'typedPerFilterConfig'> {
  const out: Record<string, { '@type': string }> = {};
  if (http.fault !== undefined) {
    out[FAULT] = {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault',
      ...fault(http.fault),
    };
  }
  if (http.corsPolicy !== undefined) {
    out[CORS] = {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy',
      ...cors(http.corsPolicy),
    };
  }
  return Object.keys(out).length === 0 ? {} : { typedPerFilterConfig: out };
}

/** Istio's percentages have four decimals. */
export function fraction(percent: networking.Percent): types.envoyType.FractionalPercent {
  const numerator = Math.trunc(Math.fround((percent.value ?? 0) * 10000));
  return { ...(numerator === 0 ? {} : { numerator }), denominator: 'MILLION' };
}

export function wholeFraction(percent: number): types.envoyType.FractionalPercent {
  return percent === 0 ? {} : { numerator: percent };
}

function fault(settings: networking.HTTPFaultInjection): types.fault.HTTPFault {
  const out: Draft<types.fault.HTTPFault> = {};
  const { delay, abort } = settings;
  if (delay?.fixedDelay !== undefined) {
    out.delay = {
      fixedDelay: duration(delay.fixedDelay),
      percentage: delay.percentage === undefined ? wholeFraction(delay.percent ?? 0) : fraction(delay.percentage),
    };
  }
  const percentage = abort?.percentage === undefined ? {} : { percentage: fraction(abort.percentage) };
  if (abort?.httpStatus !== undefined) out.abort = { httpStatus: abort.httpStatus, ...percentage };
  else if (abort?.grpcStatus !== undefined) out.abort = { grpcStatus: grpcCode(abort.grpcStatus), ...percentage };
  return out;
}

/** gRPC's status codes by number. */
const GRPC_STATUS = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

function grpcCode(name: string): number {
  return Math.max(0, GRPC_STATUS.indexOf(name));
}

function cors(settings: networking.CorsPolicy): types.cors.CorsPolicy {
  const origins = settings.allowOrigins ?? settings.allowOrigin?.map((exact) => ({ exact }));
  const out: Draft<types.cors.CorsPolicy> = {
    filterEnabled: { defaultValue: { numerator: 100 } },
    forwardNotMatchingPreflights: settings.unmatchedPreflights !== 'IGNORE',
  };
  if (origins !== undefined && origins.length > 0) out.allowOriginStringMatch = origins.map(stringMatcher);
  if (settings.allowCredentials !== undefined) out.allowCredentials = settings.allowCredentials;
  if ((settings.allowHeaders ?? []).length > 0) out.allowHeaders = settings.allowHeaders?.join(',');
  if ((settings.allowMethods ?? []).length > 0) out.allowMethods = settings.allowMethods?.join(',');
  if ((settings.exposeHeaders ?? []).length > 0) out.exposeHeaders = settings.exposeHeaders?.join(',');
  if (settings.maxAge !== undefined) out.maxAge = String(Math.trunc((parseDuration(settings.maxAge) ?? 0) / 1000));
  return out;
}
