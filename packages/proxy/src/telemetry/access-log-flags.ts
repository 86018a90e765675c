import type { JsonObject, JsonValue } from '@mizzen/xds';
import { ResponseFlag } from '../types.ts';

/** Bit, short name, long name. */
const FLAGS: readonly (readonly [bit: number, short: string, long: string])[] = [
  [ResponseFlag.LH, 'LH', 'FailedLocalHealthCheck'],
  [ResponseFlag.UH, 'UH', 'NoHealthyUpstream'],
  [ResponseFlag.UT, 'UT', 'UpstreamRequestTimeout'],
  [ResponseFlag.LR, 'LR', 'LocalReset'],
  [ResponseFlag.UR, 'UR', 'UpstreamRemoteReset'],
  [ResponseFlag.UF, 'UF', 'UpstreamConnectionFailure'],
  [ResponseFlag.UC, 'UC', 'UpstreamConnectionTermination'],
  [ResponseFlag.UO, 'UO', 'UpstreamOverflow'],
  [ResponseFlag.NR, 'NR', 'NoRouteFound'],
  [ResponseFlag.DI, 'DI', 'DelayInjected'],
  [ResponseFlag.FI, 'FI', 'FaultInjected'],
  [ResponseFlag.RL, 'RL', 'RateLimited'],
  [ResponseFlag.UAEX, 'UAEX', 'UnauthorizedExternalService'],
  [ResponseFlag.RLSE, 'RLSE', 'RateLimitServiceError'],
  [ResponseFlag.DC, 'DC', 'DownstreamConnectionTermination'],
  [ResponseFlag.URX, 'URX', 'UpstreamRetryLimitExceeded'],
  [ResponseFlag.SI, 'SI', 'StreamIdleTimeout'],
  [ResponseFlag.IH, 'IH', 'InvalidEnvoyRequestHeaders'],
  [ResponseFlag.DPE, 'DPE', 'DownstreamProtocolError'],
  [ResponseFlag.UMSDR, 'UMSDR', 'UpstreamMaxStreamDurationReached'],
  [ResponseFlag.NFCF, 'NFCF', 'NoFilterConfigFound'],
  [ResponseFlag.DT, 'DT', 'DurationTimeout'],
  [ResponseFlag.UPE, 'UPE', 'UpstreamProtocolError'],
  [ResponseFlag.NC, 'NC', 'NoClusterFound'],
  [ResponseFlag.OM, 'OM', 'OverloadManagerTerminated'],
  [ResponseFlag.DF, 'DF', 'DnsResolutionFailed'],
  [ResponseFlag.DO, 'DO', 'DropOverload'],
  [ResponseFlag.UDO, 'UDO', 'UnconditionalDropOverload'],
  [ResponseFlag.DR, 'DR', 'DownstreamRemoteReset'],
];

/** `URX,UF`, in the order in which they were set, as Envoy prints them; undefined when no flag is set. */
export function flagNames(bits: number, long = false, order?: readonly number[]): string | undefined {
  if (bits === 0) return undefined;
  let text = '';
  for (const some of order ?? [bits]) {
    for (const [bit, shortName, longName] of FLAGS) {
      if ((some & bit) !== 0) text += `${text === '' ? '' : ','}${long ? longName : shortName}`;
    }
  }
  return text;
}

/** The flags as Envoy numbers them, whose table has one more: what comes from its cache. */
export function numericFlags(bits: number): bigint {
  let flags = 0n;
  FLAGS.forEach(([bit], i) => {
    if ((bits & bit) !== 0) flags |= 1n << BigInt(i < CACHE_FLAG ? i : i + 1);
  });
  return flags;
}
const CACHE_FLAG = 20;

/** The bit of a short name, or undefined. Nothing comes from a cache here: that flag has none. */
export function flagBit(name: string): number | undefined {
  if (name === 'RFCF') return 0;
  return FLAGS.find(([, short]) => short === name)?.[0];
}

/** Names of `envoy.data.accesslog.v3.ResponseFlags`; what that has no name for is not there. */
const GRPC_NAMES: Readonly<Record<string, string>> = {
  LH: 'failedLocalHealthcheck',
  UH: 'noHealthyUpstream',
  UT: 'upstreamRequestTimeout',
  LR: 'localReset',
  UR: 'upstreamRemoteReset',
  UF: 'upstreamConnectionFailure',
  UC: 'upstreamConnectionTermination',
  UO: 'upstreamOverflow',
  NR: 'noRouteFound',
  DI: 'delayInjected',
  FI: 'faultInjected',
  RL: 'rateLimited',
  RLSE: 'rateLimitServiceError',
  DC: 'downstreamConnectionTermination',
  URX: 'upstreamRetryLimitExceeded',
  SI: 'streamIdleTimeout',
  IH: 'invalidEnvoyRequestHeaders',
  DPE: 'downstreamProtocolError',
  UMSDR: 'upstreamMaxStreamDurationReached',
  NFCF: 'noFilterConfigFound',
  DT: 'durationTimeout',
  UPE: 'upstreamProtocolError',
  NC: 'noClusterFound',
  OM: 'overloadManager',
  DF: 'dnsResolutionFailure',
  DR: 'downstreamRemoteReset',
};

/** The flags as entries of a log service have them. */
export function grpcFlags(bits: number): JsonObject {
  const flags: Record<string, JsonValue> = {};
  for (const [bit, name] of FLAGS) {
    if ((bits & bit) === 0) continue;
    const field = GRPC_NAMES[name];
    if (field !== undefined) flags[field] = true;
    else if (name === 'UAEX') flags['unauthorizedDetails'] = { reason: 'EXTERNAL_SERVICE' };
  }
  return flags;
}

/** The bits of a text such as `URX,UF`, in its order; `-` has none. */
export function flagsOf(text: string): readonly number[] {
  return text.split(',').flatMap((name) => flagBit(name) ?? []);
}
