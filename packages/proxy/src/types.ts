/**
 * What the parts of the data plane know of each other. program/ compiles xDS into these shapes without side effects;
 * codec/ and http/ move requests; cluster/ and lb/ choose where to; listener/ and tls/ accept and connect.
 */
export type * from './types/request.ts';
export type * from './types/connection.ts';
export { ResponseFlag } from './types/response-flag.ts';
export type * from './types/trace.ts';
export type * from './types/filter.ts';
export type * from './types/per-filter.ts';
export type * from './types/route.ts';
export type * from './types/upstream.ts';
