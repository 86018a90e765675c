import type { types } from '@mizzen/xds';
import { extension } from './typed.ts';

/** Cross-origin requests; the policy is in each route's own configuration. */
export const CORS: types.hcm.HttpFilter = extension(
  'envoy.filters.http.cors',
  'envoy.extensions.filters.http.cors.v3.Cors',
  {},
);
