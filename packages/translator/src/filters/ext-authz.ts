import type { mesh } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import type { Build } from '../listener/build.ts';
import { duration } from '../duration.ts';
import { compileCustom, denyInstead, hasPolicies, type CustomPolicies } from './authorization/policies.ts';
import { stringMatcher } from './authorization/strings.ts';
import { NETWORK_RBAC, networkRbac } from './network-rbac.ts';
import { providerService } from '../provider-service.ts';
import { HTTP_RBAC, authorizationOptions, httpRbac } from './rbac.ts';
import { statusName } from './status-names.ts';
import { defined, extension } from './typed.ts';

type HttpFilter = types.hcm.HttpFilter;
type Filter = types.listener.Filter;
type ExtAuthz = types.extAuthz.ExtAuthz;

/** RBAC leaves the name of the matching CUSTOM policy under this prefix; ext_authz asks only when there is one. */
const SHADOW_PREFIX = 'istio_ext_authz_';

/**
 * CUSTOM policies: for each provider an RBAC filter that only notes whether a policy matches, and an ext_authz filter
 * that then asks the provider. A provider that does not exist, or several on one workload, refuse what the policies
 * match.
 */
export function extAuthzFilters(build: Build): readonly HttpFilter[] {
  const custom = compileCustom(build.policies.authorization, authorizationOptions(build, false));
  return custom.flatMap((policies): HttpFilter[] => {
    const config = custom.length > 1 ? undefined : httpConfig(build, policies.provider);
    if (config === undefined) return [httpRbac({ rules: denyInstead(policies.rules) })];
    return [
      httpRbac(shadow(build, policies)),
      extension('envoy.filters.http.ext_authz', 'envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', {
        ...config,
        filterEnabledMetadata: enabledBy(HTTP_RBAC, policies.provider),
      }),
    ];
  });
}

/** The same for connections; only gRPC providers can be asked about those. */
export function networkExtAuthzFilters(build: Build): readonly Filter[] {
  const custom = compileCustom(build.policies.authorization, authorizationOptions(build, true));
  return custom.flatMap((policies): Filter[] => {
    const provider = custom.length > 1 ? undefined : find(build, policies.provider);
    const grpc = provider?.envoyExtAuthzGrpc;
    if (grpc === undefined) {
      return provider?.envoyExtAuthzHttp === undefined ? [networkRbac({ rules: denyInstead(policies.rules) })] : [];
    }
    const grpcService = grpcServiceOf(build, grpc);
    if (grpcService === undefined) return [networkRbac({ rules: denyInstead(policies.rules) })];
    return [
      networkRbac(shadow(build, policies)),
      extension('envoy.filters.network.ext_authz', 'envoy.extensions.filters.network.ext_authz.v3.ExtAuthz', {
        statPrefix: 'tcp.',
        grpcService,
        ...(grpc.failOpen === true ? { failureModeAllow: true } : {}),
        transportApiVersion: 'V3',
        filterEnabledMetadata: enabledBy(NETWORK_RBAC, policies.provider),
      }),
    ];
  });
}

/** istiod has a filter enforce what policies say that are to be tried only, which refuses requests; others do without. */
function shadow({ context }: Build, { rules, dryRunRules }: CustomPolicies): types.httpRbac.RBAC {
  return defined({
    rules: context.profile === 'istio' && hasPolicies(dryRunRules) ? dryRunRules : undefined,
    shadowRules: rules,
    shadowRulesStatPrefix: SHADOW_PREFIX,
  });
}

function enabledBy(filter: string, provider: string): types.matcher.MetadataMatcher {
  return {
    filter,
    path: [{ key: `${SHADOW_PREFIX}shadow_effective_policy_id` }],
    value: { stringMatch: { prefix: provider === '' ? 'istio-ext-authz' : `istio-ext-authz-${provider}` } },
  };
}

function find(build: Build, name: string): mesh.MeshConfig_ExtensionProvider | undefined {
  return build.context.model.mesh.extensionProviders?.find((provider) => provider.name === name);
}

function httpConfig(build: Build, name: string): ExtAuthz | undefined {
  const provider = find(build, name);
  const grpc = provider?.envoyExtAuthzGrpc;
  if (grpc !== undefined) {
    const grpcService = grpcServiceOf(build, grpc);
    return grpcService === undefined ? undefined : { grpcService, ...common(grpc) };
  }
  const http = provider?.envoyExtAuthzHttp;
  if (http === undefined) return undefined;
  const target = providerService(build.context.model, http.service, http.port);
  if (target === undefined) return undefined;
  const allowed = http.includeRequestHeadersInCheck ?? http.includeHeadersInCheck;
  return defined({
    httpService: defined({
      pathPrefix: http.pathPrefix,
      serverUri: {
        uri: `http://${target.hostname}`,
        cluster: target.cluster,
        timeout: duration(http.timeout) ?? '600s',
      },
      authorizationRequest: requestOf(http),
      authorizationResponse: responseOf(http),
    }),
    allowedHeaders: headerList(allowed),
    ...common(http),
  });
}

type Common = Pick<
  mesh.MeshConfig_ExtensionProvider_EnvoyExternalAuthorizationHttpProvider,
  'failOpen' | 'clearRouteCache' | 'statusOnError' | 'includeRequestBodyInCheck'
>;

function common({ failOpen, clearRouteCache, statusOnError, includeRequestBodyInCheck: body }: Common): ExtAuthz {
  const status = statusName(Number(statusOnError));
  return defined({
    failureModeAllow: failOpen === true ? true : undefined,
    clearRouteCache: clearRouteCache === true ? true : undefined,
    statusOnError: status === undefined ? undefined : { code: status },
    withRequestBody:
      body === undefined
        ? undefined
        : defined({
            maxRequestBytes: body.maxRequestBytes,
            allowPartialMessage: body.allowPartialMessage === true ? true : undefined,
            packAsBytes: body.packAsBytes === true ? true : undefined,
          }),
    transportApiVersion: 'V3',
  });
}

type HttpProvider = mesh.MeshConfig_ExtensionProvider_EnvoyExternalAuthorizationHttpProvider;

function requestOf(http: HttpProvider): types.extAuthz.AuthorizationRequest | undefined {
  const extra = Object.entries(http.includeAdditionalHeadersInCheck ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return extra.length === 0 ? undefined : { headersToAdd: extra.map(([key, value]) => ({ key, value })) };
}

function responseOf(http: HttpProvider): types.extAuthz.AuthorizationResponse | undefined {
  const response = defined({
    allowedUpstreamHeaders: headerList(http.headersToUpstreamOnAllow),
    allowedClientHeaders: headerList(http.headersToDownstreamOnDeny),
    allowedClientHeadersOnSuccess: headerList(http.headersToDownstreamOnAllow),
  });
  return Object.keys(response).length > 0 ? response : undefined;
}

function headerList(headers: readonly string[] | undefined): types.matcher.ListStringMatcher | undefined {
  if (headers === undefined || headers.length === 0) return undefined;
  return { patterns: headers.map((header) => ({ ...stringMatcher(header), ignoreCase: true })) };
}

function grpcServiceOf(
  build: Build,
  { service, port, timeout }: mesh.MeshConfig_ExtensionProvider_EnvoyExternalAuthorizationGrpcProvider,
): types.core.GrpcService | undefined {
  const target = providerService(build.context.model, service, port);
  if (target === undefined) return undefined;
  return defined({
    envoyGrpc: { clusterName: target.cluster, authority: target.hostname },
    timeout: duration(timeout) ?? '600s',
  });
}
