import type { types } from '@mizzen/xds';
import { extension } from './typed.ts';

/** Delays and aborts; what to do is in each route's own configuration. */
export const FAULT: types.hcm.HttpFilter = extension(
  'envoy.filters.http.fault',
  'envoy.extensions.filters.http.fault.v3.HTTPFault',
  {},
);
