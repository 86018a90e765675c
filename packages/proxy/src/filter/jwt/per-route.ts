import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import { PerRouteKind } from '../per-route-kind.ts';

/** Which requirement a route has: none, or one of the filter's by name. */
type JwtPerRoute = { readonly disabled: true } | { readonly disabled: false; readonly requirementName: string };

function compileJwtPerRoute(
  context: CompileContext,
  config: { readonly disabled?: boolean; readonly requirementName?: string },
  path: Path,
): JwtPerRoute {
  if (config.disabled === true) return { disabled: true };
  if (config.requirementName === undefined || config.requirementName === '')
    context.refuse(path, 'must say `disabled` or `requirementName`');
  return { disabled: false, requirementName: config.requirementName ?? '' };
}
export const jwtPerRoute = new PerRouteKind(compileJwtPerRoute);
