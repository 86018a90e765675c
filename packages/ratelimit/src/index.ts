/** A rate limit service for Envoy's API, with limits in the format of envoyproxy/ratelimit. */
export { ConfigError, readLimits, type Limits } from './config.ts';
export { MemoryCounters, type WindowCounters } from './counters.ts';
export { ListenError, startRateLimitServer, type RateLimitServer, type RateLimitServerOptions } from './server.ts';
