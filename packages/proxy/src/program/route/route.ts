import type { Random } from '../../deps.ts';
import type { RequestHead, RouteDecision, StreamInfo, Trace } from '../../types.ts';
import type { RouteConfigProgram } from '../types.ts';

/**
 * Where a request goes by a route configuration. Pure but for `random`; with a trace every virtual host and route that
 * was looked at says in words why it did or did not match.
 */
export function route(
  config: RouteConfigProgram,
  request: RequestHead,
  info: StreamInfo,
  random: Random,
  trace?: Trace,
): RouteDecision {
  return config.find(request, info, random, trace);
}
