import type { types } from '@mizzen/xds';
import { liveChance } from './live.ts';
import type { Runtime } from './runtime.ts';

export interface AbortStatus {
  readonly http: number;
  readonly grpc: number | undefined;
  readonly chance: number;
}
interface Delay {
  readonly ms: number;
  readonly chance: number;
}

/** What runtime keys make of a fault that is configured, or that a request asked for. */
export interface FaultKeys {
  /** `cluster` is the service that the request is from, with keys of its own; undefined: it does not say. */
  delay(cluster: string | undefined, given: Delay): Delay;
  abort(cluster: string | undefined, given: AbortStatus): AbortStatus;
}

/** The key that is configured, or the one that Envoy has for all. */
export function named(key: string | undefined, usual: string): string {
  return key === undefined || key === '' ? usual : key;
}

export function faultKeys(runtime: Runtime | undefined, config: types.fault.HTTPFault): FaultKeys | undefined {
  if (runtime === undefined) return undefined;
  const delayChance = named(config.delayPercentRuntime, 'fault.http.delay.fixed_delay_percent');
  const delayTime = named(config.delayDurationRuntime, 'fault.http.delay.fixed_duration_ms');
  const abortChance = named(config.abortPercentRuntime, 'fault.http.abort.abort_percent');
  const abortHttp = named(config.abortHttpStatusRuntime, 'fault.http.abort.http_status');
  const abortGrpc = named(config.abortGrpcStatusRuntime, 'fault.http.abort.grpc_status');
  const chance = (key: string, cluster: string | undefined, tail: string, given: number): number => {
    const own = cluster === undefined ? key : `fault.http.${cluster}.${tail}`;
    return liveChance(runtime, own, given).value;
  };
  const integer = (key: string, cluster: string | undefined, tail: string, given: number): number => {
    const common = runtime.get(key)?.integer ?? given;
    return cluster === undefined ? common : (runtime.get(`fault.http.${cluster}.${tail}`)?.integer ?? common);
  };
  const status = (value: number, given: number): number => (value >= 200 && value <= 599 ? value : given);
  return {
    delay: (cluster, given) => ({
      ms: integer(delayTime, cluster, 'delay.fixed_duration_ms', given.ms),
      chance: chance(delayChance, cluster, 'delay.fixed_delay_percent', given.chance),
    }),
    abort: (cluster, given) => ({
      http:
        given.grpc === undefined
          ? status(integer(abortHttp, cluster, 'abort.http_status', given.http), given.http)
          : 200,
      grpc: given.grpc === undefined ? undefined : integer(abortGrpc, cluster, 'abort.grpc_status', given.grpc),
      chance: chance(abortChance, cluster, 'abort.abort_percent', given.chance),
    }),
  };
}
