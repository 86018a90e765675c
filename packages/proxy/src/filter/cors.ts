import type { types } from '@mizzen/xds';
import type { Random } from '../deps.ts';
import type { CompileContext } from '../program/context.ts';
import { compileString, type StringMatch } from '../program/match/string.ts';
import type { Path } from '../program/path.ts';
import { liveFraction, type Live } from '../runtime/live.ts';
import { wire } from '../program/values.ts';
import type { HttpFilter, HttpStream } from '../types.ts';
import { PerRouteKind } from './per-route-kind.ts';
import type { FilterScope } from './scope.ts';

interface CorsPolicy {
  readonly origins: readonly StringMatch[];
  readonly allowMethods: string;
  readonly allowHeaders: string;
  readonly exposeHeaders: string;
  readonly maxAge: string;
  readonly allowCredentials: boolean | undefined;
  readonly allowPrivateNetwork: boolean | undefined;
  readonly forwardNotMatchingPreflights: boolean | undefined;
  /** Chance in [0, 1] that a request is treated by it. */
  readonly enabled: Live<number>;
  /** The same for requests that are only counted, where it is not enabled. */
  readonly shadow: Live<number>;
}

/**
 * Where the older places of policies are kept, which is no name of a filter. They count when no typed policy is anywhere
 * around a request.
 */
export const OLD_CORS = '\0cors';

function compileCorsPolicy(
  context: CompileContext,
  policy: types.cors.CorsPolicy | types.route.CorsPolicy,
  path: Path,
): CorsPolicy {
  return {
    origins: (policy.allowOriginStringMatch ?? []).map((matcher, i) =>
      compileString(context, matcher, [...path, 'allowOriginStringMatch', i]),
    ),
    allowMethods: wire(policy.allowMethods ?? ''),
    allowHeaders: wire(policy.allowHeaders ?? ''),
    exposeHeaders: wire(policy.exposeHeaders ?? ''),
    maxAge: wire(policy.maxAge ?? ''),
    allowCredentials: policy.allowCredentials,
    allowPrivateNetwork: policy.allowPrivateNetworkAccess,
    forwardNotMatchingPreflights: policy.forwardNotMatchingPreflights,
    enabled: liveFraction(context.deps.runtime, policy.filterEnabled, 1),
    shadow: liveFraction(context.deps.runtime, policy.shadowEnabled, 0),
  };
}

/** What a policy leaves open comes from the one around it; whether it is enabled does not. */
export const corsPerRoute = new PerRouteKind(compileCorsPolicy, (outer, own) => ({
  origins: own.origins.length > 0 ? own.origins : outer.origins,
  allowMethods: own.allowMethods || outer.allowMethods,
  allowHeaders: own.allowHeaders || outer.allowHeaders,
  exposeHeaders: own.exposeHeaders || outer.exposeHeaders,
  maxAge: own.maxAge || outer.maxAge,
  allowCredentials: own.allowCredentials ?? outer.allowCredentials,
  allowPrivateNetwork: own.allowPrivateNetwork ?? outer.allowPrivateNetwork,
  forwardNotMatchingPreflights: own.forwardNotMatchingPreflights ?? outer.forwardNotMatchingPreflights,
  enabled: own.enabled,
  shadow: own.shadow,
}));

const BARE = { bare: true };

interface Allowed {
  readonly origin: string;
  readonly policy: CorsPolicy;
}

/** Answers preflights, and marks responses to requests from allowed origins. The policy is the route's. */
export function corsFilter(context: CompileContext, scope: FilterScope): HttpFilter {
  const { random } = context.deps;
  const valid = scope.counter('cors.origin_valid');
  const invalid = scope.counter('cors.origin_invalid');
  const marked = new WeakMap<HttpStream, Allowed>();
  return {
    name: scope.name,
    onRequest(stream, trace) {
      const origin = stream.request.headers.get('origin');
      if (origin === undefined || origin === '') return undefined;
      if (stream.route().kind !== 'cluster') return undefined;
      const policy = corsPerRoute.merged(stream, scope.name) ?? corsPerRoute.merged(stream, OLD_CORS);
      if (policy === undefined) return undefined;
      const enabled = chosen(policy.enabled.value, random);
      if (!enabled && !chosen(policy.shadow.value, random)) return undefined;
      const preflight = isPreflight(stream);
      if (!allows(policy, origin)) {
        invalid.value++;
        trace?.push({ kind: 'cors', text: `CORS: origin "${origin}" is not allowed`, matched: false });
        if (!enabled || !preflight || (policy.forwardNotMatchingPreflights ?? true)) return undefined;
        stream.sendLocalReply(200, '', 'cors_response', 0, preflightHeaders(policy, undefined, stream), BARE);
        return 'stop';
      }
      valid.value++;
      trace?.push({ kind: 'cors', text: `CORS: origin "${origin}" is allowed`, matched: true });
      if (!enabled) return undefined;
      marked.set(stream, { origin, policy });
      if (!preflight) return undefined;
      stream.sendLocalReply(200, '', 'cors_response', 0, preflightHeaders(policy, origin, stream), BARE);
      return 'stop';
    },
    onResponse(stream) {
      const allowed = marked.get(stream);
      if (allowed === undefined || stream.response === undefined) return undefined;
      const { origin, policy } = allowed;
      const { headers } = stream.response;
      headers.set('access-control-allow-origin', origin);
      if (policy.allowCredentials === true) headers.set('access-control-allow-credentials', 'true');
      if (policy.exposeHeaders !== '') headers.set('access-control-expose-headers', policy.exposeHeaders);
      return undefined;
    },
  };
}

function chosen(chance: number, random: Random): boolean {
  return chance >= 1 || (chance > 0 && random.float() < chance);
}

function isPreflight({ request }: HttpStream): boolean {
  if (request.method !== 'OPTIONS') return false;
  const method = request.headers.get('access-control-request-method');
  return method !== undefined && method !== '';
}

function allows(policy: CorsPolicy, origin: string): boolean {
  for (const matcher of policy.origins) if (matcher.matches('*') || matcher.matches(origin)) return true;
  return false;
}

/** `origin` is undefined when it is not allowed. `*` in a policy stands for what is asked for. */
function preflightHeaders(policy: CorsPolicy, origin: string | undefined, { request }: HttpStream): [string, string][] {
  const asked = (allowed: string, name: string): string =>
    allowed === '*' ? (request.headers.get(name) ?? '') : allowed;
  const headers: [string, string][] = [];
  if (origin !== undefined) headers.push(['access-control-allow-origin', origin]);
  if (policy.allowCredentials === true) headers.push(['access-control-allow-credentials', 'true']);
  if (policy.allowMethods !== '') {
    headers.push(['access-control-allow-methods', asked(policy.allowMethods, 'access-control-request-method')]);
  }
  if (policy.allowHeaders !== '') {
    headers.push(['access-control-allow-headers', asked(policy.allowHeaders, 'access-control-request-headers')]);
  }
  if (policy.maxAge !== '') headers.push(['access-control-max-age', policy.maxAge]);
  if (policy.allowPrivateNetwork === true && request.headers.get('access-control-request-private-network') === 'true') {
    headers.push(['access-control-allow-private-network', 'true']);
  }
  return headers;
}
