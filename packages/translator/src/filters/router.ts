import type { types } from '@mizzen/xds';
import { extension } from './typed.ts';

/** The last HTTP filter: carries the request to its cluster. */
export function router(suppressEnvoyHeaders: boolean): types.hcm.HttpFilter {
  return extension(
    'envoy.filters.http.router',
    'envoy.extensions.filters.http.router.v3.Router',
    suppressEnvoyHeaders ? { suppressEnvoyHeaders: true } : {},
  );
}
