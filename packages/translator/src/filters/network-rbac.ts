import type { types } from '@mizzen/xds';
import type { Build } from '../listener/build.ts';
import { compilePolicies } from './authorization/policies.ts';
import { authorizationOptions } from './rbac.ts';
import { extension } from './typed.ts';

type Filter = types.listener.Filter;

export const NETWORK_RBAC = 'envoy.filters.network.rbac';

/** AuthorizationPolicies that audit, deny and allow, for filter chains that carry bytes. */
export function networkRbacFilters(build: Build): readonly Filter[] {
  return compilePolicies(build.policies.authorization, authorizationOptions(build, true)).map((config) =>
    networkRbac(config),
  );
}

export function networkRbac(config: Omit<types.networkRbac.RBAC, 'statPrefix'>): Filter {
  return extension(NETWORK_RBAC, 'envoy.extensions.filters.network.rbac.v3.RBAC', { ...config, statPrefix: 'tcp.' });
}
