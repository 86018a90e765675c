import type { Random } from '../../deps.ts';
import type { RequestHead, RouteDecision, RouteEntry, StreamInfo, Trace } from '../../types.ts';
import { pathOnly } from '../match/query.ts';
import type { RouteConfigProgram } from '../types.ts';
import type { CompiledRoute, CompiledVirtualHost, RoutePlace } from './compile.ts';
import { httpsRedirect, ownLocation, type Redirect } from './redirect.ts';
import { traceHost, traceRoute } from './trace.ts';
import { withoutPort, type DomainIndex } from './virtual-hosts.ts';

interface Hosts {
  readonly domains: DomainIndex<CompiledVirtualHost>;
  /** The one virtual host for everything, when there is only that. */
  readonly only: CompiledVirtualHost | undefined;
  readonly ignorePort: boolean;
  /** Header to read in place of the authority. */
  readonly hostHeader: string | undefined;
  readonly place: RoutePlace;
}

/** The look-up of a route configuration. Without a trace it allocates the decision and nothing else. */
export function makeFinder(hosts: Hosts): RouteConfigProgram['find'] {
  return (request, info, random, trace) => {
    const host = hosts.only ?? findHost(hosts, request);
    if (trace !== undefined) traceHost(trace, hosts.place, request, host);
    if (host === undefined) return NO_ROUTE;
    // A request that says of how it came nothing has no route either.
    if (request.protoIsEmpty === true && request.headers.get('x-forwarded-proto') === '') return NO_ROUTE;
    if (host.requireTls !== 'NONE' && !arrivedOverTls(request)) {
      if (host.requireTls === 'ALL' || request.headers.get('x-envoy-internal') !== 'true') {
        return { kind: 'redirect', route: host.tlsRoute, status: 301, location: httpsRedirect(request) };
      }
    }
    const path = pathOnly(request.path);
    if (trace !== undefined) return findTraced(hosts.place, host, request, path, info, random, trace);
    const routes = host.choose === undefined ? host.routes : (host.choose(request, info) ?? NO_ROUTES);
    for (const route of routes) {
      if (matches(route, request, path, info, random)) return decide(route, request, info, random);
    }
    return NO_ROUTE;
  };
}

const NO_ROUTES: readonly CompiledRoute[] = [];
const NO_ROUTE: RouteDecision = { kind: 'none' };

function findHost(hosts: Hosts, request: RequestHead): CompiledVirtualHost | undefined {
  const authority = hosts.hostHeader === undefined ? request.authority : request.headers.get(hosts.hostHeader);
  // Who does not say where to is of no virtual host, not even of one for all domains.
  if (authority === undefined) return undefined;
  return hosts.domains.find(hosts.ignorePort ? withoutPort(authority) : authority);
}

function arrivedOverTls(request: RequestHead): boolean {
  return (request.headers.get('x-forwarded-proto') ?? request.scheme) === 'https';
}

function matches(route: CompiledRoute, request: RequestHead, path: string, info: StreamInfo, random: Random): boolean {
  const { conditions } = route;
  for (let i = 0; i < conditions.length; i++) {
    if (!conditions[i]!.test(request, path, info, random)) return false;
  }
  return true;
}

type Answer = Extract<RouteDecision, { kind: 'redirect' | 'direct' }>;

/** What a route answers to the request as filters have left it. */
export function answerNow(answer: Answer, request: RequestHead, info: StreamInfo): Answer {
  const { route } = answer;
  if (answer.kind === 'direct')
    return answer.location === undefined ? answer : { ...answer, location: ownLocation(request) };
  const { does } = route as CompiledRoute;
  // What asks for TLS belongs to a virtual host, not to one of its routes.
  if (does.kind !== 'redirect') return { ...answer, location: httpsRedirect(request) };
  return redirected(route, does.redirect, request, info);
}

function redirected(
  route: RouteEntry,
  redirect: Redirect,
  request: RequestHead,
  info: StreamInfo,
): Extract<RouteDecision, { kind: 'redirect' }> {
  const path = redirect.rewrite?.(request, info);
  const location = redirect.location(request, path ?? request.path);
  return { kind: 'redirect', route, status: redirect.status, location, path: redirect.keepsPath ? undefined : path };
}

function decide(route: CompiledRoute, request: RequestHead, info: StreamInfo, random: Random): RouteDecision {
  const { does } = route;
  switch (does.kind) {
    case 'cluster': {
      const chosen = does.choice.choose(request, random, info);
      if (chosen === undefined) return NO_ROUTE;
      const { cluster, weighted } = chosen;
      return { kind: 'cluster', route, cluster, weighted };
    }
    case 'redirect': {
      return redirected(route, does.redirect, request, info);
    }
    case 'direct': {
      const { status, body, format } = does;
      const located = status === 201 || (status >= 300 && status < 400);
      return { kind: 'direct', route, status, body, format, location: located ? ownLocation(request) : undefined };
    }
  }
}

function findTraced(
  place: RoutePlace,
  host: CompiledVirtualHost,
  request: RequestHead,
  path: string,
  info: StreamInfo,
  random: Random,
  trace: Trace,
): RouteDecision {
  const routes = host.choose === undefined ? host.routes : (host.choose(request, info) ?? NO_ROUTES);
  for (const route of routes) {
    const results = route.conditions.map((condition) => condition.test(request, path, info, random));
    const matched = results.every(Boolean);
    const decision = matched ? decide(route, request, info, random) : undefined;
    traceRoute(trace, place, host, route, results, decision);
    if (decision !== undefined) return decision;
  }
  return NO_ROUTE;
}
