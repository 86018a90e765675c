import type { Resource, gwapi, networking } from '@mizzen/api';
import type { Path } from '@mizzen/diagnostics';
import { type BackendContext, destinationOf, destinationsOf } from './backends.ts';
import { corsPolicy, headerOperations, mirrorShare, redirect, rewrite } from './filters.ts';
import { matchRequest, ranked, type Rank } from './match.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One match of one rule as a route of a VirtualService, and where its parts were written. */
export interface ConvertedRule {
  readonly route: networking.HTTPRoute;
  readonly rank: Rank;
  /** Path within the route → path within the HTTPRoute; `[]` is the rule. */
  readonly parts: readonly (readonly [own: Path, written: Path])[];
}

/** A route for every match of every rule, so that each can have its place among those of other HTTPRoutes. */
export function convertRules(context: BackendContext, route: Resource<gwapi.HTTPRouteSpec>): ConvertedRule[] {
  return (route.spec.rules ?? []).flatMap((rule, index) => {
    const path = ['spec', 'rules', index];
    const { namespace, name } = route.metadata;
    const base: ConvertedRule = convertRule(context, rule, rule.name ?? `${namespace}.${name}.${index}`, path);
    const matches = rule.matches ?? [];
    if (matches.length === 0) return [base];
    return matches.map((match, i): ConvertedRule => ({
      route: { ...base.route, match: [matchRequest(match)] },
      rank: ranked(match),
      parts: [
        ...base.parts,
        [
          ['match', 0],
          [...path, 'matches', i],
        ],
      ],
    }));
  });
}

function convertRule(context: BackendContext, rule: gwapi.HTTPRouteRule, name: string, path: Path): ConvertedRule {
  const out: Mutable<networking.HTTPRoute> = { name };
  const parts: [Path, Path][] = [[[], path]];
  convertFilters(context, rule, path, out, parts);
  const retries = retry(rule.retry);
  if (retries !== undefined) {
    out.retries = retries;
    parts.push([['retries'], [...path, 'retry']]);
  }
  convertTimeouts(rule, path, out, parts);
  const backends = rule.backendRefs ?? [];
  const weight = backends.reduce((sum, each) => sum + (each.weight ?? 1), 0);
  if (weight === 0 && out.redirect === undefined) {
    out.directResponse = { status: 500 };
    parts.push([['directResponse'], backends.length === 0 ? path : [...path, 'backendRefs']]);
  } else if (backends.length > 0) {
    const { route, written } = destinationsOf(context, backends, [...path, 'backendRefs']);
    out.route = route;
    written.forEach((at, i) => parts.push([['route', i], at]));
  }
  return { route: out, rank: ranked(undefined), parts };
}

function convertFilters(
  context: BackendContext,
  rule: gwapi.HTTPRouteRule,
  path: Path,
  out: Mutable<networking.HTTPRoute>,
  parts: [Path, Path][],
): void {
  const mirrors: networking.HTTPMirrorPolicy[] = [];
  for (const [index, filter] of (rule.filters ?? []).entries()) {
    const at = [...path, 'filters', index];
    const { requestHeaderModifier, responseHeaderModifier, requestRedirect, urlRewrite, cors, requestMirror } = filter;
    if (requestHeaderModifier) {
      out.headers = { ...out.headers, request: headerOperations(requestHeaderModifier) };
      parts.push([['headers', 'request'], at]);
    }
    if (responseHeaderModifier) {
      out.headers = { ...out.headers, response: headerOperations(responseHeaderModifier) };
      parts.push([['headers', 'response'], at]);
    }
    if (requestRedirect) {
      out.redirect = redirect(requestRedirect);
      parts.push([['redirect'], at]);
    }
    if (urlRewrite) {
      const changed = rewrite(urlRewrite);
      if (changed !== undefined) out.rewrite = changed;
      parts.push([['rewrite'], at]);
    }
    if (cors) {
      out.corsPolicy = corsPolicy(cors);
      parts.push([['corsPolicy'], at]);
    }
    if (requestMirror) {
      const destination = destinationOf(context, requestMirror.backendRef, [...at, 'requestMirror', 'backendRef']);
      // A copy for nobody is not sent.
      if (destination === undefined) continue;
      parts.push([['mirrors', mirrors.length], at]);
      if (mirrors.length === 0) parts.push([['mirrors'], at]);
      mirrors.push({ destination, ...mirrorShare(requestMirror) });
    }
  }
  if (mirrors.length > 0) out.mirrors = mirrors;
}

/** Beside the codes that are asked for, failed connections are tried again, as the Gateway API wants it. */
function retry(written: gwapi.HTTPRouteRetry | undefined): networking.HTTPRetry | undefined {
  if (written === undefined) return undefined;
  const { codes = [], attempts = 2, backoff } = written;
  const conditions = ['connect-failure', 'refused-stream', 'unavailable', 'cancelled', ...codes.map(String)];
  return {
    attempts,
    ...(attempts === 0 ? {} : { retryOn: conditions.join(',') }),
    ...(backoff === undefined ? {} : { backoff }),
  };
}

/** Without retries there is one attempt, and its time is that of the request. */
function convertTimeouts(
  { timeouts }: gwapi.HTTPRouteRule,
  path: Path,
  out: Mutable<networking.HTTPRoute>,
  parts: [Path, Path][],
): void {
  const { request, backendRequest } = timeouts ?? {};
  if (request !== undefined && !isZero(request)) {
    out.timeout = request;
    parts.push([['timeout'], [...path, 'timeouts', 'request']]);
  }
  if (backendRequest === undefined || isZero(backendRequest)) return;
  if (out.retries !== undefined) out.retries = { ...out.retries, perTryTimeout: backendRequest };
  else {
    out.timeout = backendRequest;
    parts.push([['timeout'], [...path, 'timeouts', 'backendRequest']]);
  }
}

function isZero(duration: string): boolean {
  return !/[1-9]/.test(duration);
}
