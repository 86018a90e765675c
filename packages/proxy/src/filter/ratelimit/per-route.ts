import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import type { RateLimitPolicy, RouteDecision } from '../../types.ts';
import { PerRouteKind } from '../per-route-kind.ts';
import { compileRateLimits } from './policies.ts';

/** What becomes of the virtual host's limits. */
export type VirtualHostLimits = 'OVERRIDE' | 'INCLUDE' | 'IGNORE';

export interface RateLimitPerRoute {
  readonly virtualHost: VirtualHostLimits;
  /** In place of the route's own. */
  readonly policies: readonly RateLimitPolicy[] | undefined;
  readonly domain: string;
}

function compileRateLimitPerRoute(
  context: CompileContext,
  config: types.rateLimit.RateLimitPerRoute,
  path: Path,
): RateLimitPerRoute {
  return {
    virtualHost: config.vhRateLimits ?? 'OVERRIDE',
    policies: compileRateLimits(context, config.rateLimits, [...path, 'rateLimits'], true),
    domain: config.domain ?? '',
  };
}
export const rateLimitPerRoute = new PerRouteKind(compileRateLimitPerRoute);

/** The policies of a route, and those of its virtual host as far as they count. */
export function policiesOf(
  decision: Extract<RouteDecision, { kind: 'cluster' }>,
  virtualHost: VirtualHostLimits,
): readonly RateLimitPolicy[] {
  const { action, virtualHost: host } = decision.route;
  const own = action?.rateLimits ?? [];
  const around = host.rateLimits ?? [];
  const counts = action?.includeVhRateLimits === true ? 'INCLUDE' : virtualHost;
  if (counts === 'IGNORE' || around.length === 0) return own;
  if (counts === 'INCLUDE') return [...own, ...around];
  return own.length > 0 ? own : around;
}
