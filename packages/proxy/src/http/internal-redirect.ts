import { isServer } from '../codec/request-parser.ts';
import type { InternalRedirectProgram, RequestHead, ResponseHead, RouteDecision } from '../types.ts';
import type { ActiveStream } from './stream.ts';

/** Scheme, authority without its user, and path with query; a fragment is dropped. */
const ABSOLUTE =
  /^([a-z]+):\/\/(?:[\w.!~*'()%;:&=+$,-]*@)?((?:[a-z\d.-]+|\[[\da-f:.]+\])(?::\d+)?)((?:[/?][!"$-~]*(?:#[!-~]*)?)?)$/i;

/**
 * The request that goes where a response says, when the policy of its route lets it; undefined: the client gets the
 * response. Says in the statistics why not.
 */
export function redirected(
  stream: ActiveStream,
  route: string,
  policy: InternalRedirectProgram,
  response: ResponseHead,
): RequestHead | undefined {
  const { hcm, request } = stream;
  const { stats } = hcm;
  const location = response.headers.get('location');
  if (location === undefined) return undefined;
  const parts = ABSOLUTE.exec(location);
  if (parts === null || !isServer(parts[2]!)) {
    stats.passthrough_internal_redirect_bad_location++;
    return undefined;
  }
  const fromTls = request.scheme === 'https';
  const scheme = parts[1]!.toLowerCase();
  const toTls = scheme !== 'http';
  if (!policy.crossScheme && fromTls !== toTls) {
    stats.passthrough_internal_redirect_unsafe_scheme++;
    return undefined;
  }
  const redirects = (stream.redirects ??= { count: 0, taken: new Set() });
  if (redirects.count >= policy.max) {
    stats.passthrough_internal_redirect_too_many_redirects++;
    return undefined;
  }
  const headers = request.headers.clone();
  for (const name of policy.copied) {
    headers.remove(name);
    for (const value of response.headers.getAll(name)) headers.add(name, value);
  }
  const tail = /^[^#]*/.exec(parts[3]!)![0];
  const next: RequestHead = {
    method: request.method,
    path: tail === '' ? '/' : tail,
    authority: parts[2]!,
    scheme,
    headers,
  };
  const target = stream.routeOf(next);
  const name = nameOf(target);
  if (name === undefined) {
    stats.passthrough_internal_redirect_no_route++;
    return undefined;
  }
  for (const accepts of policy.predicates) {
    if (accepts(route, name, redirects, fromTls, toTls)) continue;
    stats.passthrough_internal_redirect_predicate++;
    return undefined;
  }
  if (response.status === 303 && request.method !== 'GET' && request.method !== 'HEAD') {
    next.method = 'GET';
    headers.remove('content-length');
  }
  redirects.count++;
  headers.set('x-envoy-original-url', `${fromTls ? 'https' : 'http'}://${request.authority}${request.path}`);
  return next;
}

function nameOf(decision: RouteDecision): string | undefined {
  return decision.kind === 'none' ? undefined : decision.route.name;
}
