import type { networking } from '@mizzen/api';
import { fits, hasGatewaySemantics } from '@mizzen/model';
import type { Path } from '@mizzen/diagnostics';
import type { Route } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import type { Draft } from '../draft.ts';
import { configPath, istioMetadata } from '../metadata.ts';
import type { Origin } from '../types.ts';
import { type RouteScope, directResponse, forward, redirect } from './action.ts';
import { type BuiltRoute, type VirtualService, at } from './built.ts';
import { perFilterConfig } from './filters.ts';
import { headerOperations, joinOperations } from './headers.ts';
import { isCatchAll, routeMatch } from './match.ts';

/**
 * The routes of a VirtualService for one listener: those whose gateways, source labels, source namespace and port fit,
 * in order, up to the first that takes everything.
 */
export function virtualServiceRoutes(
  context: TranslationContext,
  virtualService: VirtualService,
  scope: RouteScope,
  gateway: string,
): BuiltRoute[] {
  const out: BuiltRoute[] = [];
  for (const [index, http] of (virtualService.spec.http ?? []).entries()) {
    const place = placesOf(context, virtualService, http, index);
    const matches = http.match ?? [];
    if (matches.length === 0) {
      out.push(buildRoute(virtualService, http, undefined, -1, place, scope));
      return out;
    }
    for (const [matchIndex, match] of matches.entries()) {
      if (match.port !== undefined && match.port !== 0 && match.port !== scope.port) continue;
      if (!sourceFits(context, match, gateway)) continue;
      const built = buildRoute(virtualService, http, match, matchIndex, place, scope);
      out.push(built);
      if (isCatchAll(built.route.match)) return out;
    }
  }
  return out;
}

/** Where a part of a route was written. */
type PlaceOf = (...path: (string | number)[]) => Origin;

function placesOf(
  context: TranslationContext,
  virtualService: VirtualService,
  http: networking.HTTPRoute,
  index: number,
): PlaceOf {
  const own = context.model.originOfRoute(http);
  if (own === undefined) return (...path) => at(virtualService, 'spec', 'http', index, ...path);
  return (...path) => ({ resource: own.resource, path: [...own.path, ...path] });
}

function sourceFits(context: TranslationContext, match: networking.HTTPMatchRequest, gateway: string): boolean {
  const gateways = match.gateways ?? [];
  if (gateways.length > 0) return gateways.includes(gateway);
  if (!fits(match.sourceLabels, context.proxy.labels)) return false;
  const namespace = match.sourceNamespace ?? '';
  return namespace === '' || namespace === context.proxy.namespace;
}

function buildRoute(
  virtualService: VirtualService,
  http: networking.HTTPRoute,
  match: networking.HTTPMatchRequest | undefined,
  matchIndex: number,
  place: PlaceOf,
  scope: RouteScope,
): BuiltRoute {
  const gatewayApi = hasGatewaySemantics(virtualService);
  const route: Draft<Route> = {
    match: routeMatch(match, gatewayApi),
    metadata: istioMetadata({ config: configPath(virtualService) }),
  };
  const name = match?.name === undefined || match.name === '' ? (http.name ?? '') : `${http.name ?? ''}.${match.name}`;
  if (name !== '') route.name = name;
  if (match?.statPrefix !== undefined && match.statPrefix !== '') route.statPrefix = match.statPrefix;
  let operations = headerOperations(http.headers);
  if (http.redirect !== undefined) route.redirect = redirect(http.redirect, scope, gatewayApi);
  else if (http.directResponse !== undefined) route.directResponse = directResponse(http.directResponse);
  else {
    const forwarding = forward(http, scope, gatewayApi ? route.match : undefined);
    route.route = scope.forwardsHost ? { ...forwarding.action, appendXForwardedHost: true } : forwarding.action;
    operations = joinOperations(operations, forwarding.operations);
  }
  Object.assign(route, operations, perFilterConfig(http));
  route.decorator = { operation: operationName(route, virtualService.metadata.name, scope.port) };
  return { route, origin: place(), parts: partOrigins(http, matchIndex, place) };
}

/** How traces call what a route does: `host:port` and path of its only destination, else the VirtualService's name. */
function operationName(route: Route, virtualService: string, port: number): string {
  const { match } = route;
  const path = match?.prefix === undefined ? (match?.path ?? match?.safeRegex?.regex ?? '/*') : `${match.prefix}*`;
  const parts = route.route?.cluster?.split('|');
  return parts?.length === 4 ? `${parts[3]}:${parts[1]}${path}` : `${virtualService}:${port}${path}`;
}

/** Fields of a route and the fields of the VirtualService's route they come from. */
const PARTS: readonly (readonly [field: keyof networking.HTTPRoute, path: Path])[] = [
  ['redirect', ['redirect']],
  ['directResponse', ['directResponse']],
  ['rewrite', ['route', 'prefixRewrite']],
  ['rewrite', ['route', 'regexRewrite']],
  ['rewrite', ['route', 'hostRewriteLiteral']],
  ['retries', ['route', 'retryPolicy']],
  ['timeout', ['route', 'timeout']],
  ['mirror', ['route', 'requestMirrorPolicies']],
  ['mirrors', ['route', 'requestMirrorPolicies']],
  ['fault', ['typedPerFilterConfig', 'envoy.filters.http.fault']],
  ['corsPolicy', ['typedPerFilterConfig', 'envoy.filters.http.cors']],
];

function partOrigins(http: networking.HTTPRoute, matchIndex: number, below: PlaceOf): BuiltRoute['parts'] {
  const out: { path: Path; origin: Origin }[] = [];
  for (const side of ['request', 'response'] as const) {
    if (http.headers?.[side] === undefined) continue;
    for (const what of ['Add', 'Remove'])
      out.push({ path: [`${side}HeadersTo${what}`], origin: below('headers', side) });
  }
  if (matchIndex >= 0) out.push({ path: ['match'], origin: below('match', matchIndex) });
  for (const [field, path] of PARTS) if (http[field] !== undefined) out.push({ path, origin: below(field) });
  const destinations = http.route ?? [];
  if (destinations.length === 1) out.push({ path: ['route', 'cluster'], origin: below('route', 0) });
  let weighted = 0;
  for (const [index, to] of destinations.entries()) {
    if (destinations.length < 2 || (to.weight ?? 0) === 0) continue;
    out.push({ path: ['route', 'weightedClusters', 'clusters', weighted++], origin: below('route', index) });
  }
  return out;
}
