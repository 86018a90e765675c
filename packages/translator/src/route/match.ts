import type { networking } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import type { Draft } from '../draft.ts';

type StringMatch = networking.StringMatch;

/**
 * Envoy's condition for one of Istio's; without one, everything. `segments`: prefixes of paths are whole segments, as the
 * Gateway API has them.
 */
export function routeMatch(match: networking.HTTPMatchRequest | undefined, segments = false): types.route.RouteMatch {
  if (match === undefined) return { prefix: '/' };
  const out: Draft<types.route.RouteMatch> = { ...pathMatch(match.uri, segments) };
  out.caseSensitive = match.ignoreUriCase !== true;

  const metadata: types.matcher.MetadataMatcher[] = [];
  const headers: types.route.HeaderMatcher[] = [];
  const wanted = Object.entries(match.headers ?? {}).map((entry) => [...entry, false] as const);
  const unwanted = Object.entries(match.withoutHeaders ?? {}).map((entry) => [...entry, true] as const);
  for (const [name, value, invert] of [...wanted, ...unwanted]) {
    const claims = claimPath(name);
    if (claims !== undefined) metadata.push(claimMatch(claims, value, invert));
    else headers.push(headerMatch(name, value, invert));
  }
  headers.sort((a, b) => compare(a.name ?? '', b.name ?? ''));
  for (const [name, value] of [
    [':method', match.method],
    [':authority', match.authority],
    [':scheme', match.scheme],
  ] as const) {
    if (value !== undefined) headers.push(headerMatch(name, value, false));
  }
  if (headers.length > 0) out.headers = headers;
  if (metadata.length > 0) out.dynamicMetadata = metadata;
  const parameters = Object.entries(match.queryParams ?? {}).sort(([a], [b]) => compare(a, b));
  if (parameters.length > 0) out.queryParameters = parameters.map(([name, value]) => parameterMatch(name, value));
  return out;
}

function pathMatch(uri: StringMatch | undefined, segments: boolean): types.route.RouteMatch {
  if (uri?.exact !== undefined) return { path: uri.exact };
  if (uri?.prefix !== undefined) {
    const whole = segments && uri.prefix !== '/';
    return whole ? { pathSeparatedPrefix: uri.prefix.replace(/\/$/, '') } : { prefix: uri.prefix };
  }
  if (uri?.regex !== undefined) return { safeRegex: { regex: uri.regex } };
  return { prefix: '/' };
}

/** Nothing said about the value, or the regex `*` (which Istio takes to mean the same). */
function isPresence(match: StringMatch): boolean {
  if (match.regex === '*') return true;
  return match.exact === undefined && match.prefix === undefined && match.regex === undefined;
}

/** As Envoy's StringMatcher; an empty one matches any value. */
export function stringMatcher(match: StringMatch): types.matcher.StringMatcher {
  if (match.exact !== undefined) return { exact: match.exact };
  if (match.prefix !== undefined) return { prefix: match.prefix };
  return { safeRegex: { regex: match.regex ?? '' } };
}

function headerMatch(name: string, match: StringMatch, invert: boolean): types.route.HeaderMatcher {
  const out: Draft<types.route.HeaderMatcher> = { name };
  if (isPresence(match)) out.presentMatch = true;
  else {
    out.stringMatch = stringMatcher(match);
    if (invert) out.treatMissingHeaderAsEmpty = true;
  }
  if (invert) out.invertMatch = true;
  return out;
}

function parameterMatch(name: string, match: StringMatch): types.route.QueryParameterMatcher {
  return isPresence(match) ? { name, presentMatch: true } : { name, stringMatch: stringMatcher(match) };
}

const CLAIMS = '@request.auth.claims';

/** `@request.auth.claims.a.b` or `@request.auth.claims[a][b]`: the claim's path; undefined for ordinary headers. */
function claimPath(header: string): readonly string[] | undefined {
  if (!header.toLowerCase().startsWith(CLAIMS)) return undefined;
  const rest = header.slice(CLAIMS.length);
  if (rest.startsWith('[')) return rest.endsWith(']') ? rest.slice(1, -1).split('][') : undefined;
  return rest.startsWith('.') && rest.length > 1 ? rest.slice(1).split('.') : undefined;
}

/** A claim fits when it is the value, or a list that has it. */
function claimMatch(claims: readonly string[], match: StringMatch, invert: boolean): types.matcher.MetadataMatcher {
  const value = { stringMatch: stringMatcher(match) };
  return {
    filter: 'envoy.filters.http.jwt_authn',
    path: [{ key: 'payload' }, ...claims.map((key) => ({ key }))],
    value: { orMatch: { valueMatchers: [value, { listMatch: { oneOf: value } }] } },
    ...(invert ? { invert: true } : {}),
  };
}

/** Matches whatever reaches it: later routes are never looked at. */
export function isCatchAll(match: types.route.RouteMatch | undefined): boolean {
  if (match === undefined) return true;
  const anyPath = match.prefix === '/' || match.safeRegex?.regex === '.*';
  return anyPath && isNone(match.headers) && isNone(match.queryParameters) && isNone(match.dynamicMetadata);
}

function isNone(list: readonly unknown[] | undefined): boolean {
  return list === undefined || list.length === 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
