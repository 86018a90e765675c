import type { RouterProgram } from '../program/types.ts';
import type { RouteActionProgram } from '../types.ts';
import type { Headers } from './headers.ts';
import { isGrpc } from '../telemetry/access-log-grpc.ts';
import { readUnsigned } from './unsigned.ts';

export interface RequestTimeouts {
  /** Milliseconds for the whole response once the request is complete; 0: none. */
  readonly route: number;
  readonly perTry: number;
  /** Limit of each attempt, response included; 0: none. */
  readonly upstream: number;
  /** The upstream is told in `grpc-timeout`, too. */
  readonly tellsGrpc: boolean;
  /** An attempt that takes longer than `perTry` goes on, with another beside it. */
  readonly hedges: boolean;
}

export const NO_TIMEOUTS: RequestTimeouts = { route: 0, perTry: 0, upstream: 0, tellsGrpc: false, hedges: false };

const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000001 };

/**
 * Timeouts of a request: the route's, unless a trusted client asked for others. The fields it asked with are removed.
 * A route with a limit of streams has no timeout of its own.
 */
export function requestTimeouts(headers: Headers, action: RouteActionProgram, router: RouterProgram): RequestTimeouts {
  let route = action.timeout;
  let perTry = action.retry?.perTryTimeout ?? 0;
  let upstream = 0;
  let tellsGrpc = false;
  let hedges = action.hedges;
  if (action.maxGrpcTimeout !== undefined && isGrpc(headers.get('content-type'))) {
    tellsGrpc = true;
    route = ofGrpc(grpcTimeout(headers.get('grpc-timeout')) ?? 0, action.maxGrpcTimeout, action.grpcTimeoutOffset);
  }
  if (asksForTimeouts(headers)) {
    const expected = router.respectExpectedRqTimeout ? headers.get('x-envoy-expected-rq-timeout-ms') : undefined;
    if (expected === undefined) route = take(headers, 'x-envoy-upstream-rq-timeout-ms') ?? route;
    else route = readUnsigned(expected) ?? route;
    perTry = take(headers, 'x-envoy-upstream-rq-per-try-timeout-ms') ?? perTry;
    upstream = take(headers, 'x-envoy-upstream-stream-duration-ms') ?? 0;
    const hedge = headers.get('x-envoy-hedge-on-per-try-timeout');
    if (hedge !== undefined) headers.remove('x-envoy-hedge-on-per-try-timeout');
    if (hedge === 'true' || hedge === 'false') hedges = hedge === 'true';
  }
  if (route > 0 && perTry >= route) perTry = 0;
  return { route, perTry, upstream, tellsGrpc, hedges };
}

/**
 * The limit of the whole stream, on a route that has a say in it, `general` being the connection manager's (0: none); a gRPC
 * upstream is told. Undefined: no limit; 0: over at once.
 */
export function streamLimit(headers: Headers, action: RouteActionProgram, general: number): number | undefined {
  const { grpcTimeoutHeaderMax: max } = action;
  const wanted = max === undefined ? undefined : grpcTimeout(headers.get('grpc-timeout'));
  const limit =
    wanted === undefined
      ? (action.maxStreamDuration ?? general) || undefined
      : ofStream(wanted, max!, action.grpcTimeoutHeaderOffset);
  if (!isGrpc(headers.get('content-type'))) return limit;
  if (limit !== undefined) headers.set('grpc-timeout', grpcText(limit));
  else if (general > 0) headers.remove('grpc-timeout');
  return limit;
}

/** Tells the upstream how long it will be waited for, `elapsed` milliseconds after the request's end. */
export function announceTimeout(headers: Headers, timeouts: RequestTimeouts, elapsed: number, quiet: boolean): void {
  const { route, perTry, tellsGrpc, hedges } = timeouts;
  // An attempt that takes too long is still waited for where others are made beside it.
  let expected = perTry > 0 && !hedges ? perTry : route;
  if (expected === 0) return;
  // 0 would mean for ever.
  if (route > 0) expected = elapsed >= route ? 1 : Math.min(expected, route - elapsed);
  if (!quiet) headers.set('x-envoy-expected-rq-timeout-ms', String(expected));
  if (tellsGrpc) headers.set('grpc-timeout', grpcText(expected));
}

function asksForTimeouts(headers: Headers): boolean {
  const { flat } = headers;
  for (let i = 0; i < flat.length; i += 2) {
    switch (flat[i]) {
      case 'x-envoy-expected-rq-timeout-ms':
      case 'x-envoy-upstream-rq-timeout-ms':
      case 'x-envoy-upstream-rq-per-try-timeout-ms':
      case 'x-envoy-upstream-stream-duration-ms':
      case 'x-envoy-hedge-on-per-try-timeout':
        return true;
    }
  }
  return false;
}

/** What a gRPC client wants (0: no limit), sooner by `offset` so that this side is the first to know, up to `max`. */
function ofGrpc(wanted: number, max: number, offset: number): number {
  const limit = offset < wanted ? wanted - offset : wanted;
  return max > 0 && (limit === 0 || limit > max) ? max : limit;
}

/** The same for a limit of the whole stream, where `max` comes first. */
function ofStream(wanted: number, max: number, offset: number): number {
  const limit = max > 0 && wanted > max ? max : wanted;
  return limit === 0 || offset === 0 ? limit : Math.max(0, limit - offset);
}

function take(headers: Headers, name: string): number | undefined {
  const value = headers.get(name);
  if (value === undefined) return undefined;
  headers.remove(name);
  return readUnsigned(value);
}

function grpcTimeout(text: string | undefined): number | undefined {
  const parts = text === undefined ? null : /^(\d{1,8})([HMSmun])$/.exec(text);
  return parts === null ? undefined : Math.ceil(Number(parts[1]) * UNITS[parts[2]!]!);
}

/** At most eight digits and the finest unit that they are enough for. */
function grpcText(ms: number): string {
  if (ms < 100_000_000) return `${ms}m`;
  const seconds = Math.trunc(ms / 1000);
  return seconds < 100_000_000 ? `${seconds}S` : `${Math.trunc(seconds / 60)}M`;
}
