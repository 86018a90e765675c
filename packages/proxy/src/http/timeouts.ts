import type { RouterProgram } from '../program/types.ts';
import type { RouteActionProgram } from '../types.ts';
import type { Headers } from './headers.ts';

export interface RequestTimeouts {
  /** Milliseconds for the whole response once the request is complete; 0: none. */
  readonly route: number;
  readonly perTry: number;
  /** What the upstream is told; 0: nothing. */
  readonly expected: number;
  /** Limit of the whole stream that `grpc-timeout` gives; undefined: none. */
  readonly stream: number | undefined;
  /** Limit of each attempt, response included; 0: none. */
  readonly upstream: number;
}

const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000001 };

/**
 * Timeouts of a request: the route's, unless a trusted client asked for others. The fields it asked with are removed.
 */
export function requestTimeouts(headers: Headers, action: RouteActionProgram, router: RouterProgram): RequestTimeouts {
  let route = action.timeout;
  let perTry = action.retry?.perTryTimeout ?? 0;
  let stream: number | undefined;
  let upstream = 0;
  if (asksForTimeouts(headers)) {
    const wanted = grpcTimeout(headers.get('grpc-timeout'));
    if (action.maxGrpcTimeout !== undefined && wanted !== undefined) {
      route = bounded(wanted, action.maxGrpcTimeout, action.grpcTimeoutOffset);
    }
    if (action.grpcTimeoutHeaderMax !== undefined && wanted !== undefined) {
      stream = bounded(wanted, action.grpcTimeoutHeaderMax, action.grpcTimeoutHeaderOffset);
    }
    route = take(headers, 'x-envoy-upstream-rq-timeout-ms') ?? route;
    perTry = take(headers, 'x-envoy-upstream-rq-per-try-timeout-ms') ?? perTry;
    upstream = take(headers, 'x-envoy-upstream-stream-duration-ms') ?? 0;
    if (router.respectExpectedRqTimeout) route = number(headers.get('x-envoy-expected-rq-timeout-ms')) ?? route;
  }
  if (route > 0 && perTry >= route) perTry = 0;
  return { route, perTry, expected: perTry > 0 ? perTry : route, stream, upstream };
}

function asksForTimeouts(headers: Headers): boolean {
  const { flat } = headers;
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i]!;
    if (name.startsWith('x-envoy-') || name === 'grpc-timeout') return true;
  }
  return false;
}

/** What a client wants (0: no limit) within `max` (0: any), `offset` sooner so that this side is the first to know. */
function bounded(wanted: number, max: number, offset: number): number {
  const limit = max > 0 && (wanted === 0 || wanted > max) ? max : wanted;
  return offset > 0 && offset < limit ? limit - offset : limit;
}

function take(headers: Headers, name: string): number | undefined {
  const value = headers.get(name);
  if (value === undefined) return undefined;
  headers.remove(name);
  return number(value);
}

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function grpcTimeout(text: string | undefined): number | undefined {
  const parts = text === undefined ? null : /^(\d{1,8})([HMSmun])$/.exec(text);
  return parts === null ? undefined : Math.ceil(Number(parts[1]) * UNITS[parts[2]!]!);
}
