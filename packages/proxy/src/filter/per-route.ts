import type { Any, types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import { noEffectTypes } from '../program/fields/index.ts';
import type { Path } from '../program/path.ts';
import { messageOf } from '../program/read-resource.ts';
import type { PerFilter, PerFilterEntry, PerRoute } from '../types.ts';
import { apiKeyAuthPerRoute } from './api-key-auth.ts';
import { bandwidthPerRoute } from './bandwidth/filter.ts';
import { basicAuthPerRoute } from './basic-auth.ts';
import { bufferPerRoute } from './buffer.ts';
import { compressorPerRoute } from './compressor/filter.ts';
import { corsPerRoute, OLD_CORS } from './cors.ts';
import { csrfPerRoute } from './csrf.ts';
import { hostRewritePerRoute } from './dynamic-forward-proxy.ts';
import { extAuthzPerRoute } from './ext-authz/per-route.ts';
import { faultPerRoute } from './fault.ts';
import { headerMutationPerRoute } from './header-mutation.ts';
import { headerToMetadataPerRoute } from './header-to-metadata.ts';
import { jsonToMetadataPerRoute } from './json-to-metadata.ts';
import { jwtPerRoute } from './jwt/per-route.ts';
import { localRateLimitPerRoute } from './local-ratelimit.ts';
import { compositePerRoute } from './matched/composite.ts';
import { matcherPerRoute } from './matched/filter.ts';
import type { RoutePlace } from './per-route-kind.ts';
import { rateLimitPerRoute } from './ratelimit/per-route.ts';
import { rbacPerRoute } from './rbac/http.ts';
import { compileHttpFilter, ROUTER } from './registry.ts';
import { setMetadataPerRoute } from './set-metadata.ts';
import { setFilterStatePerRoute } from './set-filter-state.ts';
import { sessionsPerRoute } from './stateful-session/filter.ts';

export const NO_FILTERS: PerFilter = new Map();

interface Kind {
  compile(context: CompileContext, config: never, path: Path, place: RoutePlace): PerRoute;
}
const kinds: Readonly<Record<string, Kind>> = {
  'envoy.extensions.filters.http.rbac.v3.RBACPerRoute': rbacPerRoute,
  'envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute': extAuthzPerRoute,
  'envoy.extensions.filters.http.ratelimit.v3.RateLimitPerRoute': rateLimitPerRoute,
  'envoy.extensions.filters.http.dynamic_forward_proxy.v3.PerRouteConfig': hostRewritePerRoute,
  'envoy.extensions.filters.http.buffer.v3.BufferPerRoute': bufferPerRoute,
  'envoy.extensions.filters.http.fault.v3.HTTPFault': faultPerRoute,
  'envoy.extensions.filters.http.cors.v3.CorsPolicy': corsPerRoute,
  'envoy.extensions.filters.http.compressor.v3.CompressorPerRoute': compressorPerRoute,
  'envoy.extensions.filters.http.csrf.v3.CsrfPolicy': csrfPerRoute,
  'envoy.extensions.filters.http.basic_auth.v3.BasicAuthPerRoute': basicAuthPerRoute,
  'envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuthPerRoute': apiKeyAuthPerRoute,
  'envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig': jwtPerRoute,
  'envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute': headerMutationPerRoute,
  'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit': localRateLimitPerRoute,
  'envoy.extensions.filters.http.set_filter_state.v3.Config': setFilterStatePerRoute,
  'envoy.extensions.filters.http.header_to_metadata.v3.Config': headerToMetadataPerRoute,
  'envoy.extensions.filters.http.set_metadata.v3.Config': setMetadataPerRoute,
  'envoy.extensions.filters.http.json_to_metadata.v3.JsonToMetadata': jsonToMetadataPerRoute,
  'envoy.extensions.filters.http.bandwidth_limit.v3.BandwidthLimit': bandwidthPerRoute,
  'envoy.extensions.filters.http.composite.v3.CompositePerRoute': compositePerRoute,
  'envoy.extensions.common.matching.v3.ExtensionWithMatcherPerRoute': matcherPerRoute,
  'envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute': sessionsPerRoute,
};

/** Filters that routes say nothing to; `isOptional` is for them. */
const APART: ReadonlySet<string> = new Set([
  'envoy.extensions.filters.http.decompressor.v3.Decompressor',
  'envoy.extensions.filters.http.grpc_stats.v3.FilterConfig',
  'envoy.extensions.filters.http.health_check.v3.HealthCheck',
  'envoy.extensions.filters.http.ip_tagging.v3.IPTagging',
  ROUTER,
]);
const FILTER_CONFIG = 'envoy.config.route.v3.FilterConfig';

/** `cors` is the older place for the CORS filter's configuration. */
export function compilePerFilter(
  context: CompileContext,
  configs: Readonly<Record<string, Any>> | undefined,
  path: Path,
  cors?: types.route.CorsPolicy,
): PerFilter {
  if (configs === undefined && cors === undefined) return NO_FILTERS;
  const compiled = new Map<string, PerFilterEntry>();
  if (cors !== undefined)
    compiled.set(OLD_CORS, {
      on: true,
      config: corsPerRoute.compile(context, cors, [...path.slice(0, -1), 'cors'], placeOf(OLD_CORS)),
    });
  for (const [name, config] of Object.entries(configs ?? {}))
    compiled.set(name, compileEntry(context, config, [...path, name], placeOf(name)));
  return compiled;
}

function placeOf(filterName: string): RoutePlace {
  return { filterName, compileFilter: compileHttpFilter };
}

function compileEntry(context: CompileContext, given: Any, path: Path, place: RoutePlace): PerFilterEntry {
  if (messageOf(given['@type']) !== FILTER_CONFIG)
    return { on: true, config: compileConfig(context, given, path, place) };
  const { disabled, config, isOptional } = given as types.route.FilterConfig;
  if (disabled === true) {
    context.switchesFilters = true;
    return { on: false, config: undefined };
  }
  const at = [...path, 'config'];
  if (config === undefined) context.refuse(at, 'must be there');
  const passedOver = config === undefined || (isOptional === true && APART.has(messageOf(config['@type'] ?? '')));
  return { on: true, config: passedOver ? undefined : compileConfig(context, config, at, place) };
}

function compileConfig(context: CompileContext, config: Any, path: Path, place: RoutePlace): PerRoute | undefined {
  // It may hold nothing, where all that is said is that a filter is on.
  if (config['@type'] === undefined) return undefined;
  const type = messageOf(config['@type']);
  if (Object.hasOwn(noEffectTypes, type)) return undefined;
  const kind = kinds[type];
  if (kind !== undefined) return kind.compile(context, config as never, path, place);
  context.refuse(path, `\`${type}\` is not a configuration for routes`);
  return undefined;
}

/** The inner place wins, filter by filter; where it only switches a filter, what is around it stays. */
export function mergePerFilter(outer: PerFilter, inner: PerFilter): PerFilter {
  if (inner.size === 0) return outer;
  if (outer.size === 0) return inner;
  const merged = new Map(outer);
  for (const [name, { on, config }] of inner) {
    const around = outer.get(name)?.config;
    merged.set(name, {
      on,
      config: config === undefined || around === undefined ? (config ?? around) : config.kind.within(around, config),
    });
  }
  return merged;
}
