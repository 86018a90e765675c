import type { types } from '@mizzen/xds';
import type { InternalRedirectProgram, RedirectPredicate } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import { messageOf } from '../read-resource.ts';
import { asciiLower } from '../values.ts';

const PREFIX = 'envoy.extensions.internal_redirect.';
const MAX_CODES = 5;
const CODES = [301, 302, 303, 307, 308];

/** A route's policy, or what its older fields make one of. */
export function internalRedirectPolicy({
  internalRedirectPolicy: policy,
  internalRedirectAction,
  maxInternalRedirects,
}: types.route.RouteAction): types.route.InternalRedirectPolicy | undefined {
  return policy ?? (internalRedirectAction === 'HANDLE_INTERNAL_REDIRECT' ? { maxInternalRedirects } : undefined);
}

/** Which responses of an upstream a request follows to another route, instead of its client. */
export function compileInternalRedirect(
  context: CompileContext,
  policy: types.route.InternalRedirectPolicy | undefined,
  path: Path,
): InternalRedirectProgram | undefined {
  if (policy === undefined) return undefined;
  const copied = (policy.responseHeadersToCopy ?? []).map((name, i) => {
    const header = asciiLower(name);
    if (header.startsWith(':') || header === 'host')
      context.refuse([...path, 'responseHeadersToCopy', i], 'cannot be copied');
    return header;
  });
  const given = policy.redirectResponseCodes ?? [];
  if (given.length > MAX_CODES) context.refuse([...path, 'redirectResponseCodes'], `must be at most ${MAX_CODES}`);
  const codes = given.filter((code) => CODES.includes(code));
  return {
    max: policy.maxInternalRedirects ?? 1,
    codes: given.length === 0 ? [302] : codes,
    crossScheme: policy.allowCrossSchemeRedirect === true,
    copied,
    predicates: (policy.predicates ?? []).flatMap(
      (predicate, i) => compilePredicate(context, predicate, [...path, 'predicates', i]) ?? [],
    ),
  };
}

function compilePredicate(
  context: CompileContext,
  { typedConfig }: types.core.TypedExtensionConfig,
  path: Path,
): RedirectPredicate | undefined {
  const type = typedConfig === undefined ? '' : messageOf(typedConfig['@type']);
  switch (type) {
    case `${PREFIX}allow_listed_routes.v3.AllowListedRoutesConfig`: {
      const { allowedRouteNames } = typedConfig as { readonly allowedRouteNames?: readonly string[] };
      const names = new Set(allowedRouteNames);
      return (_, target) => names.has(target);
    }
    case `${PREFIX}previous_routes.v3.PreviousRoutesConfig`:
      return (from, target, redirects) => {
        const key = JSON.stringify([from, target]);
        if (redirects.taken.has(key)) return false;
        redirects.taken.add(key);
        return true;
      };
    case `${PREFIX}safe_cross_scheme.v3.SafeCrossSchemeConfig`:
      return (_from, _target, _redirects, fromTls, toTls) => fromTls || !toTls;
    default:
      context.refuse([...path, 'typedConfig'], `\`${type}\` is not a predicate that is supported`);
      return undefined;
  }
}
