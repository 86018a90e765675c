import { defineConfig } from 'vitest/config';

/** End-to-end tests start whole meshes, so they run one after the other. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    // The conformance cases run beside them.
    retry: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
