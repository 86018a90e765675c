import type { types } from '@mizzen/xds';
import { extension } from './typed.ts';

/** Counts gRPC messages and keeps the counts where access logs and metrics find them. */
export const GRPC_STATS: types.hcm.HttpFilter = extension(
  'envoy.filters.http.grpc_stats',
  'envoy.extensions.filters.http.grpc_stats.v3.FilterConfig',
  { statsForAllMethods: false, emitFilterState: true },
);

/** Turns gRPC-Web into gRPC. */
export const GRPC_WEB: types.hcm.HttpFilter = extension(
  'envoy.filters.http.grpc_web',
  'envoy.extensions.filters.http.grpc_web.v3.GrpcWeb',
  {},
);
