import { defineConfig } from 'vitest/config';

/** Tests that wait most of their time, and leave the cores to others. */
const WAITING = [
  'examples/**/*.test.ts',
  'packages/proxy/src/tracing/tracing.envoy.test.ts',
  'packages/proxy/src/filter/local-ratelimit.envoy.test.ts',
  'packages/proxy/src/health/failing.envoy.test.ts',
  'packages/proxy/src/xds/remote/ttl.envoy.test.ts',
  'packages/proxy/src/listener/http-tunnel.test.ts',
];

/** `busy` or `waiting`: that part alone, as `npm test` runs them. */
const part = process.env.MIZZEN_TEST_PART;

export default defineConfig({
  test: {
    include: part === 'waiting' ? WAITING : ['packages/**/*.test.ts', 'tools/**/*.test.ts', 'examples/**/*.test.ts'],
    exclude: ['**/node_modules/**', ...(part === 'busy' ? WAITING : [])],
    pool: 'forks',
    maxWorkers: part === 'waiting' ? 1 : 3,
    // More at a time than there are cores on a small machine, for many wait. Tests beside real programs share two cores with them; one that fails twice has something to say.
    retry: 1,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
