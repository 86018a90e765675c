import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';

/** Which requirement a route has: none, or one of the filter's by name. */
export type JwtPerRoute = { readonly disabled: true } | { readonly disabled: false; readonly requirementName: string };

export function compileJwtPerRoute(
  context: CompileContext,
  config: { readonly disabled?: boolean; readonly requirementName?: string },
  path: Path,
): JwtPerRoute {
  if (config.disabled === true) return { disabled: true };
  if (config.requirementName === undefined || config.requirementName === '')
    context.refuse(path, 'must say `disabled` or `requirementName`');
  return { disabled: false, requirementName: config.requirementName ?? '' };
}
