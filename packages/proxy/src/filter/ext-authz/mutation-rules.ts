import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import { compileRegex } from '../../program/match/regex.ts';

/** Which headers a service may change. `fail` ends the request. */
export type MutationRules = (name: string, remove: boolean) => 'ok' | 'ignore' | 'fail';

const ROUTING = new Set(['host', ':authority', ':scheme', ':method']);

/** Envoy's `envoy.config.common.mutation_rules.v3.HeaderMutationRules`. */
export function compileMutationRules(
  context: CompileContext,
  rules: types.mutationRules.HeaderMutationRules,
  path: Path,
): MutationRules {
  const allowed =
    rules.allowExpression === undefined
      ? undefined
      : compileRegex(context, rules.allowExpression, [...path, 'allowExpression']);
  const disallowed =
    rules.disallowExpression === undefined
      ? undefined
      : compileRegex(context, rules.disallowExpression, [...path, 'disallowExpression']);
  const refused = rules.disallowIsError === true ? 'fail' : 'ignore';
  const may = (name: string, remove: boolean): boolean => {
    // Without these there is no request.
    if (remove && (name.startsWith(':') || name === 'host')) return false;
    if (disallowed?.matches(name) === true) return false;
    if (allowed?.matches(name) === true) return true;
    if (rules.disallowAll === true) return false;
    if (rules.disallowSystem === true && name.startsWith(':')) return false;
    if (rules.allowAllRouting !== true && ROUTING.has(name)) return false;
    return rules.allowEnvoy === true || !name.startsWith('x-envoy-');
  };
  return (name, remove) => (may(name, remove) ? 'ok' : refused);
}
