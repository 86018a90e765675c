import { defineConfig } from 'vitest/config';

/** End-to-end tests start whole meshes, and wait for them half of the time: so two at once. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // They share the cores with each other and with what they start.
    retry: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
