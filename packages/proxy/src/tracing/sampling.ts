import type { types } from '@mizzen/xds';
import type { Random } from '../deps.ts';
import type { Headers } from '../http/headers.ts';
import { DENOMINATORS } from '../program/values.ts';
import { live, type Live } from '../runtime/live.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { numberOf, setTraceReason, traceReason, type TraceReason } from './request-id.ts';

/** `numerator` of `denominator`. */
export interface Share {
  readonly numerator: number;
  readonly denominator: number;
}
export interface Sampling {
  /** Of requests whose client asks for a trace by `x-client-trace-id`. */
  readonly client: Live<Share>;
  readonly random: Live<Share>;
  /** Of all that would be traced. */
  readonly overall: Live<Share>;
}

type Shares = Readonly<Record<keyof Sampling, Share>>;
const KEYS = {
  client: 'tracing.client_enabled',
  random: 'tracing.random_sampling',
  overall: 'tracing.global_enabled',
} as const;

export function samplingOf(runtime: Runtime | undefined, shares: Shares): Sampling {
  const of = (name: keyof Sampling): Live<Share> =>
    live(runtime, shares[name], (from) => {
      const entry = from.get(KEYS[name]);
      if (entry?.fraction !== undefined) return { numerator: entry.fraction * 1_000_000, denominator: 1_000_000 };
      return entry?.integer === undefined ? shares[name] : { numerator: entry.integer, denominator: 100 };
    });
  return { client: of('client'), random: of('random'), overall: of('overall') };
}

/** A percentage as a connection manager has it: exact to a hundredth. */
export function shareOfPercent(percent: types.envoyType.Percent | undefined): Share {
  return { numerator: Math.min(10_000, Math.round((percent?.value ?? 100) * 100)), denominator: 10_000 };
}

/** As a route has it; what is left out is nothing. */
export function shareOf(percent: types.envoyType.FractionalPercent | undefined, absent: Share): Share {
  if (percent === undefined) return absent;
  return { numerator: percent.numerator ?? 0, denominator: DENOMINATORS[percent.denominator ?? 'HUNDRED'] };
}

const within = ({ numerator, denominator }: Share, number: number): boolean => number % denominator < numerator;

/** Whether and why a request is traced; its id carries the decision on, where `packs` says so. */
export function sample(headers: Headers, sampling: Sampling, packs: boolean, random: Random): TraceReason {
  const { flat } = headers;
  let id: string | undefined;
  let asked = false;
  let forced = false;
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i];
    if (name === 'x-request-id') id ??= flat[i + 1]!;
    else if (name === 'x-client-trace-id') asked = true;
    else if (name === 'x-envoy-force-trace') forced = true;
  }
  const drawn = id === undefined ? undefined : numberOf(id);
  if (id === undefined || drawn === undefined) return 'none';
  const number = drawn % 10_000;
  let reason = traceReason(id);
  if (reason === 'none') {
    if (asked && within(sampling.client.value, random.uint32())) reason = 'client';
    else if (forced) reason = 'forced';
    else if (within(sampling.random.value, number)) reason = 'sampled';
    if (reason !== 'none' && packs) setTraceReason(headers, reason);
  }
  if (reason !== 'none' && !within(sampling.overall.value, number)) {
    reason = 'none';
    if (packs) setTraceReason(headers, 'none');
  }
  return reason;
}
