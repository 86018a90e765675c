import type { types } from '@mizzen/xds';
import { compilePolicies, type AuthorizationOptions } from './authorization/policies.ts';
import type { Build } from '../listener/build.ts';
import { extension } from './typed.ts';

type HttpFilter = types.hcm.HttpFilter;

export const HTTP_RBAC = 'envoy.filters.http.rbac';

/** AuthorizationPolicies that audit, deny and allow, as HTTP filters. */
export function rbacFilters(build: Build): readonly HttpFilter[] {
  return compilePolicies(build.policies.authorization, authorizationOptions(build, false)).map((config) =>
    httpRbac(config),
  );
}

export function httpRbac(config: types.httpRbac.RBAC): HttpFilter {
  return extension(HTTP_RBAC, 'envoy.extensions.filters.http.rbac.v3.RBAC', config);
}

export function authorizationOptions(build: Build, tcp: boolean): AuthorizationOptions {
  const { model, proxy } = build.context;
  return {
    tcp,
    trustDomains: [model.trustDomain, ...model.trustDomainAliases],
    marks: build.marks,
    localPort: (port) =>
      proxy.local?.inbound?.find(({ containerPort }) => containerPort === port)?.port ??
      proxy.local?.gateway?.ports[port] ??
      port,
  };
}
