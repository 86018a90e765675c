/**
 * What xDS resources become: plain data and closures, made once and never changed. All times are milliseconds, sizes
 * bytes, fractions in [0, 1]; every default Envoy has is filled in.
 */
export type * from './types/compile.ts';
export type * from './types/listener.ts';
export type * from './types/network-filter.ts';
export type * from './types/hcm.ts';
export type * from './types/access-log.ts';
export type * from './types/route.ts';
export type * from './types/tcp-proxy.ts';
export type * from './types/tls.ts';
export type * from './types/cluster.ts';
export type * from './types/balancing.ts';
export type * from './types/health.ts';
export type * from './types/endpoints.ts';
