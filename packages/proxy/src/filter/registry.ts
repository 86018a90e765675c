import type { Any } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import { noEffectTypes } from '../program/fields/index.ts';
import type { Path } from '../program/path.ts';
import { messageOf } from '../program/read-resource.ts';
import type { HttpFilter } from '../types.ts';
import { admissionControlFilter } from './admission/filter.ts';
import { alpnFilter } from './alpn.ts';
import { apiKeyAuthFilter } from './api-key-auth.ts';
import { bandwidthFilter } from './bandwidth/filter.ts';
import { basicAuthFilter } from './basic-auth.ts';
import { bufferFilter } from './buffer.ts';
import { decompressorFilter } from './compressor/decompressor.ts';
import { compressorFilter } from './compressor/filter.ts';
import { corsFilter } from './cors.ts';
import { csrfFilter } from './csrf.ts';
import { dynamicForwardProxyFilter } from './dynamic-forward-proxy.ts';
import { extAuthzFilter } from './ext-authz/filter.ts';
import { faultFilter } from './fault.ts';
import { headerToMetadataFilter } from './header-to-metadata.ts';
import { healthCheckFilter } from './health-check.ts';
import { grpcStatsFilter } from './grpc-stats/filter.ts';
import { headerMutationFilter } from './header-mutation.ts';
import { ipTaggingFilter } from './ip-tagging.ts';
import { jsonToMetadataFilter } from './json-to-metadata.ts';
import { jwtFilter } from './jwt/filter.ts';
import { localRateLimitFilter } from './local-ratelimit.ts';
import { rateLimitFilter } from './ratelimit/filter.ts';
import { rbacFilter } from './rbac/http.ts';
import { setFilterStateFilter } from './set-filter-state.ts';
import { setMetadataFilter } from './set-metadata.ts';
import { statefulSessionFilter } from './stateful-session/filter.ts';
import { COMPOSITE, compositeFilter, WITH_MATCHER } from './matched/composite.ts';
import { matchedFilter } from './matched/filter.ts';
import { peerMetadataFilter } from '../istio/peer-metadata.ts';
import { httpStatsFilter } from '../istio/stats/http.ts';
import type { FilterScope } from './scope.ts';

/** The last filter of every connection manager; the connection manager itself does its work. */
export const ROUTER = 'envoy.extensions.filters.http.router.v3.Router';

type Compile = (context: CompileContext, config: never, scope: FilterScope, path: Path) => HttpFilter | undefined;

const compilers: Readonly<Record<string, Compile>> = {
  'envoy.extensions.filters.http.rbac.v3.RBAC': rbacFilter,
  'envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication': jwtFilter,
  'envoy.extensions.filters.http.ext_authz.v3.ExtAuthz': extAuthzFilter,
  'envoy.extensions.filters.http.ratelimit.v3.RateLimit': rateLimitFilter,
  'istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig': alpnFilter,
  'io.istio.http.peer_metadata.Config': peerMetadataFilter,
  'stats.PluginConfig': httpStatsFilter,
  'envoy.extensions.filters.http.admission_control.v3.AdmissionControl': admissionControlFilter,
  'envoy.extensions.filters.http.buffer.v3.Buffer': bufferFilter,
  'envoy.extensions.filters.http.fault.v3.HTTPFault': faultFilter,
  'envoy.extensions.filters.http.compressor.v3.Compressor': compressorFilter,
  'envoy.extensions.filters.http.decompressor.v3.Decompressor': decompressorFilter,
  'envoy.extensions.filters.http.csrf.v3.CsrfPolicy': csrfFilter,
  'envoy.extensions.filters.http.basic_auth.v3.BasicAuth': basicAuthFilter,
  'envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuth': apiKeyAuthFilter,
  'envoy.extensions.filters.http.cors.v3.Cors': (context, _config, scope) => corsFilter(context, scope),
  'envoy.extensions.filters.http.grpc_stats.v3.FilterConfig': grpcStatsFilter,
  'envoy.extensions.filters.http.header_mutation.v3.HeaderMutation': headerMutationFilter,
  'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit': localRateLimitFilter,
  'envoy.extensions.filters.http.set_filter_state.v3.Config': setFilterStateFilter,
  'envoy.extensions.filters.http.health_check.v3.HealthCheck': healthCheckFilter,
  'envoy.extensions.filters.http.set_metadata.v3.Config': setMetadataFilter,
  'envoy.extensions.filters.http.header_to_metadata.v3.Config': headerToMetadataFilter,
  'envoy.extensions.filters.http.json_to_metadata.v3.JsonToMetadata': jsonToMetadataFilter,
  'envoy.extensions.filters.http.bandwidth_limit.v3.BandwidthLimit': bandwidthFilter,
  'envoy.extensions.filters.http.ip_tagging.v3.IPTagging': ipTaggingFilter,
  'envoy.extensions.filters.http.stateful_session.v3.StatefulSession': statefulSessionFilter,
  [WITH_MATCHER]: (context, config, scope, path) => matchedFilter(context, config, scope, path, compileHttpFilter),
  [COMPOSITE]: (context, config, scope, path) => compositeFilter(context, config, scope, path, compileHttpFilter),
  'envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig': dynamicForwardProxyFilter,
};

/** Undefined: nothing to run, because the filter is of no effect here or was refused. */
export function compileHttpFilter(
  context: CompileContext,
  config: Any,
  scope: FilterScope,
  path: Path,
): HttpFilter | undefined {
  const type = messageOf(config['@type']);
  if (Object.hasOwn(noEffectTypes, type)) return undefined;
  const compile = compilers[type];
  if (compile !== undefined) return compile(context, config as never, scope, path);
  context.refuse(path, `\`${type}\` is not an HTTP filter that is supported`);
  return undefined;
}
