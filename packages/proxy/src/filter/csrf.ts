import type { types } from '@mizzen/xds';
import type { Random } from '../deps.ts';
import type { CompileContext } from '../program/context.ts';
import { compileString, type StringMatch } from '../program/match/string.ts';
import type { Path } from '../program/path.ts';
import { liveFraction, type Live } from '../runtime/live.ts';
import type { HttpFilter, RequestHead } from '../types.ts';
import { PerRouteKind } from './per-route-kind.ts';
import type { FilterScope } from './scope.ts';

export interface CsrfPolicy {
  /** Chances in [0, 1] that a request is answered with a 403, or only counted. */
  readonly enabled: Live<number>;
  readonly shadow: Live<number>;
  readonly additionalOrigins: readonly StringMatch[];
}

function compileCsrfPolicy(context: CompileContext, policy: types.csrf.CsrfPolicy, path: Path): CsrfPolicy {
  if (policy.filterEnabled === undefined) context.refuse([...path, 'filterEnabled'], 'must be there');
  return {
    enabled: liveFraction(context.deps.runtime, policy.filterEnabled, 0),
    shadow: liveFraction(context.deps.runtime, policy.shadowEnabled, 0),
    additionalOrigins: (policy.additionalOrigins ?? []).map((matcher, i) =>
      compileString(context, matcher, [...path, 'additionalOrigins', i]),
    ),
  };
}

export const csrfPerRoute = new PerRouteKind(compileCsrfPolicy);

const CHANGING = new Set(['POST', 'PUT', 'DELETE', 'PATCH']);

/** Refuses requests that change something and that a page of another origin makes. The route's policy replaces its own. */
export function csrfFilter(
  context: CompileContext,
  config: types.csrf.CsrfPolicy,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const own = compileCsrfPolicy(context, config, path);
  const { random } = context.deps;
  const missing = scope.counter('csrf.missing_source_origin');
  const invalid = scope.counter('csrf.request_invalid');
  const valid = scope.counter('csrf.request_valid');
  return {
    name: scope.name,
    onRequest(stream, trace) {
      const policy = csrfPerRoute.mostSpecific(stream, scope.name) ?? own;
      const { request } = stream;
      const enforced = roll(policy.enabled.value, random);
      if ((!enforced && !roll(policy.shadow.value, random)) || !CHANGING.has(request.method)) return undefined;
      const source = sourceOf(request);
      const ok = source !== '' && isAllowed(policy, source, hostOf(request.authority));
      (source === '' ? missing : ok ? valid : invalid).value++;
      trace?.push({ kind: 'csrf', text: `CSRF: origin "${source}" is ${ok ? '' : 'not '}allowed`, matched: ok });
      if (ok || !enforced) return undefined;
      stream.sendLocalReply(403, 'Invalid origin', 'csrf_origin_mismatch', 0);
      return 'stop';
    },
  };
}

function roll(chance: number, random: Random): boolean {
  return chance >= 1 || (chance > 0 && random.float() < chance);
}

function sourceOf({ headers }: RequestHead): string {
  const origin = headers.get('origin') ?? '';
  // A page that may not say where it is from is not asked for more.
  if (origin === 'null') return '';
  return hostOf(origin === '' ? (headers.get('referer') ?? '') : origin);
}

/** Scheme, user, and host with port. */
const URL_PARTS = /^[a-z]+:\/\/(?:[\w.!~*'()%;:&=+$,-]*@)?((?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?)(?:[/?#]|$)/i;

/** Host and port of an absolute URL, without a user; other text is taken as it is. */
function hostOf(text: string): string {
  return URL_PARTS.exec(text)?.[1] ?? text;
}

function isAllowed(policy: CsrfPolicy, source: string, target: string): boolean {
  return source === target || policy.additionalOrigins.some((origin) => origin.matches(source));
}
