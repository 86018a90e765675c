import { join } from 'node:path';
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

/** Tests that measure the process they run in, or compare its environment. */
const ALONE = [
  'packages/runtime/src/traffic/growth.test.ts',
  'packages/proxy/src/program/listener/chain-match.envoy.test.ts',
];

/** `busy` or `waiting`: that part alone, as `npm test` runs them. */
const part = process.env.MIZZEN_TEST_PART;
const modules = ['**/node_modules/**'];

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: part === 'waiting' ? 1 : 3,
    // More at a time than there are cores on a small machine, for many wait. Tests beside real programs share two cores with them; one that fails twice has something to say.
    retry: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is waited for comes in its time; a second, the default, is less than a busy machine may need.
    expect: { poll: { timeout: 30_000 } },
    // What a test starts finds the code that other tests, and the installation, have compiled.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/mizzen') },
    projects: [
      {
        extends: true,
        test: {
          name: 'shared',
          include:
            part === 'waiting' ? WAITING : ['packages/**/*.test.ts', 'tools/**/*.test.ts', 'examples/**/*.test.ts'],
          exclude: [...modules, ...ALONE, ...(part === 'busy' ? WAITING : [])],
          // A process for each of hundreds of files would spend as much on reading modules as on tests.
          isolate: false,
        },
      },
      ...(part === 'waiting'
        ? []
        : [{ extends: true as const, test: { name: 'alone', include: ALONE, isolate: true } }]),
    ],
  },
});
