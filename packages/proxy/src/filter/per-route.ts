import type { Any, types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import { noEffectTypes } from '../program/fields/index.ts';
import type { Path } from '../program/path.ts';
import { messageOf } from '../program/read-resource.ts';
import { compileApiKeys } from './api-key-auth.ts';
import { compileBandwidth } from './bandwidth/filter.ts';
import { compileUsers, quotable, type BasicAuthOfRoute } from './basic-auth.ts';
import { compileBufferPerRoute } from './buffer.ts';
import { compileCompressorPerRoute } from './compressor/filter.ts';
import { compileCorsPolicy, OLD_CORS } from './cors.ts';
import { compileCsrfPolicy } from './csrf.ts';
import { compileHostRewrite } from './dynamic-forward-proxy.ts';
import { compileExtAuthzPerRoute } from './ext-authz/per-route.ts';
import { compileFault } from './fault.ts';
import { compileRouteRules } from './header-to-metadata.ts';
import { compileHeaderMutationPerRoute } from './header-mutation.ts';
import { compileJwtPerRoute } from './jwt/per-route.ts';
import { compileLocalRateLimitPerRoute } from './local-ratelimit.ts';
import { compileRateLimitPerRoute } from './ratelimit/per-route.ts';
import { compileRbacPerRoute } from './rbac/http.ts';
import { compileMatcherOfRoute } from './matched/filter.ts';
import { compileSessionsOfRoute } from './stateful-session/filter.ts';
import { SWITCH, TREE, type PerFilter } from './switch.ts';
import { compileSetFilterState } from './set-filter-state.ts';

const EMPTY: PerFilter = new Map();
const MATCHER = 'envoy.extensions.common.matching.v3.ExtensionWithMatcherPerRoute';

const compilers: Readonly<Record<string, (context: CompileContext, config: never, path: Path) => unknown>> = {
  'envoy.extensions.filters.http.rbac.v3.RBACPerRoute': compileRbacPerRoute,
  'envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute': compileExtAuthzPerRoute,
  'envoy.extensions.filters.http.ratelimit.v3.RateLimitPerRoute': compileRateLimitPerRoute,
  'envoy.extensions.filters.http.dynamic_forward_proxy.v3.PerRouteConfig': compileHostRewrite,
  'envoy.extensions.filters.http.buffer.v3.BufferPerRoute': compileBufferPerRoute,
  'envoy.extensions.filters.http.fault.v3.HTTPFault': compileFault,
  'envoy.extensions.filters.http.cors.v3.CorsPolicy': compileCorsPolicy,
  'envoy.extensions.filters.http.compressor.v3.CompressorPerRoute': compileCompressorPerRoute,
  'envoy.extensions.filters.http.csrf.v3.CsrfPolicy': compileCsrfPolicy,
  'envoy.extensions.filters.http.basic_auth.v3.BasicAuthPerRoute': (
    context,
    config: types.basicAuth.BasicAuthPerRoute,
    path,
  ): BasicAuthOfRoute => ({
    users: compileUsers(context, config.users, [...path, 'users']),
    realm: quotable(config.realm),
  }),
  'envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuthPerRoute': compileApiKeys,
  'envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig': compileJwtPerRoute,
  'envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute': compileHeaderMutationPerRoute,
  'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit': compileLocalRateLimitPerRoute,
  'envoy.extensions.filters.http.set_filter_state.v3.Config': compileSetFilterState,
  'envoy.extensions.filters.http.header_to_metadata.v3.Config': compileRouteRules,
  'envoy.extensions.filters.http.bandwidth_limit.v3.BandwidthLimit': compileBandwidth,
  [MATCHER]: compileMatcherOfRoute,
  'envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute': compileSessionsOfRoute,
};

const FILTER_CONFIG = 'envoy.config.route.v3.FilterConfig';

/** `cors` is the older place for the CORS filter's configuration. */
export function compilePerFilter(
  context: CompileContext,
  configs: Readonly<Record<string, Any>> | undefined,
  path: Path,
  cors?: types.route.CorsPolicy,
): PerFilter {
  if (configs === undefined && cors === undefined) return EMPTY;
  const compiled = new Map<string, unknown>();
  if (cors !== undefined) compiled.set(OLD_CORS, compileCorsPolicy(context, cors, [...path.slice(0, -1), 'cors']));
  for (const [name, given] of Object.entries(configs ?? {})) {
    let config: Any | undefined = given;
    let at: Path = [...path, name];
    let on = true;
    if (messageOf(given['@type']) === FILTER_CONFIG) {
      const wrapper = given as types.route.FilterConfig;
      config = wrapper.config;
      at = [...at, 'config'];
      on = wrapper.disabled !== true;
      if (!on) context.switchesFilters = true;
      if (on && config === undefined) context.refuse(at, 'must be there');
    }
    compiled.set(SWITCH + name, on);
    const type = messageOf(config?.['@type'] ?? '');
    if (config === undefined || Object.hasOwn(noEffectTypes, type)) continue;
    const compile = compilers[type];
    if (compile === undefined) context.refuse(at, `\`${type}\` is not a configuration for routes`);
    else compiled.set(type === MATCHER ? TREE + name : name, compile(context, config as never, at));
  }
  return compiled;
}

/** Configuration that takes something over from what is around it. */
export interface Inheriting {
  over(outer: unknown): unknown;
}
function inherits(value: unknown): value is Inheriting {
  return typeof value === 'object' && value !== null && 'over' in value;
}

/** The inner one wins, filter by filter, unless it knows better. */
export function mergePerFilter(outer: PerFilter, inner: PerFilter): PerFilter {
  if (inner.size === 0) return outer;
  if (outer.size === 0) return inner;
  const merged = new Map(outer);
  for (const [name, value] of inner) {
    const around = outer.get(name);
    merged.set(name, around !== undefined && inherits(value) ? value.over(around) : value);
  }
  return merged;
}
