import type { types } from '@mizzen/xds';
import type { Random } from '../deps.ts';
import type { CompileContext } from '../program/context.ts';
import { compileString, type StringMatch } from '../program/match/string.ts';
import type { Path } from '../program/path.ts';
import { liveFraction, type Live } from '../runtime/live.ts';
import { wire } from '../program/values.ts';
import type { HttpFilter, HttpStream } from '../types.ts';
import type { FilterScope } from './scope.ts';

export interface CorsPolicy {
  readonly origins: readonly StringMatch[];
  readonly allowMethods: string;
  readonly allowHeaders: string;
  readonly exposeHeaders: string;
  readonly maxAge: string;
  readonly allowCredentials: boolean;
  readonly allowPrivateNetwork: boolean;
  readonly forwardNotMatchingPreflights: boolean;
  /** Chance in [0, 1] that a request is treated by it. */
  readonly enabled: Live<number>;
  /** The same for requests that are only counted. */
  readonly shadow: Live<number>;
}

export function compileCorsPolicy(
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
    allowCredentials: policy.allowCredentials === true,
    allowPrivateNetwork: policy.allowPrivateNetworkAccess === true,
    forwardNotMatchingPreflights: policy.forwardNotMatchingPreflights ?? true,
    enabled: liveFraction(context.deps.runtime, policy.filterEnabled, 1),
    shadow: liveFraction(context.deps.runtime, policy.shadowEnabled, 0),
  };
}

/** Answers preflights, and marks responses to requests from allowed origins. The policy is the route's. */
export function corsFilter(context: CompileContext, scope: FilterScope): HttpFilter {
  const { random } = context.deps;
  /** Requests that the dice spared: their responses are left alone too. */
  let spared: WeakSet<HttpStream> | undefined;
  const valid = scope.counter('cors.origin_valid');
  const invalid = scope.counter('cors.origin_invalid');
  return {
    name: scope.name,
    onRequest(stream, trace) {
      const origin = stream.request.headers.get('origin');
      if (origin === undefined || origin === '') return undefined;
      const policy = stream.perRoute(scope.name) as CorsPolicy | undefined;
      if (policy === undefined) return undefined;
      if (!chosen(policy.enabled.value, random)) {
        if (chosen(policy.shadow.value, random)) (allows(policy, origin) ? valid : invalid).value++;
        (spared ??= new WeakSet()).add(stream);
        return undefined;
      }
      const preflight = isPreflight(stream);
      if (!allows(policy, origin)) {
        invalid.value++;
        trace?.push({ kind: 'cors', text: `CORS: origin "${origin}" is not allowed`, matched: false });
        if (!preflight || policy.forwardNotMatchingPreflights) return undefined;
        stream.sendLocalReply(200, '', 'cors_response', 0);
        return 'stop';
      }
      valid.value++;
      trace?.push({ kind: 'cors', text: `CORS: origin "${origin}" is allowed`, matched: true });
      if (!preflight) return undefined;
      stream.sendLocalReply(200, '', 'cors_response', 0, preflightHeaders(policy, origin, stream));
      return 'stop';
    },
    onResponse(stream) {
      const origin = stream.request.headers.get('origin');
      if (origin === undefined || origin === '' || stream.response === undefined) return undefined;
      const policy = stream.perRoute(scope.name) as CorsPolicy | undefined;
      if (policy === undefined || spared?.has(stream) === true || !allows(policy, origin)) return undefined;
      const { headers } = stream.response;
      headers.set('access-control-allow-origin', origin);
      if (policy.allowCredentials) headers.set('access-control-allow-credentials', 'true');
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

function preflightHeaders(policy: CorsPolicy, origin: string, { request }: HttpStream): [string, string][] {
  const headers: [string, string][] = [['access-control-allow-origin', origin]];
  if (policy.allowCredentials) headers.push(['access-control-allow-credentials', 'true']);
  if (policy.allowMethods !== '') headers.push(['access-control-allow-methods', policy.allowMethods]);
  if (policy.allowHeaders !== '') headers.push(['access-control-allow-headers', policy.allowHeaders]);
  if (policy.maxAge !== '') headers.push(['access-control-max-age', policy.maxAge]);
  if (policy.allowPrivateNetwork && request.headers.get('access-control-request-private-network') === 'true') {
    headers.push(['access-control-allow-private-network', 'true']);
  }
  return headers;
}
