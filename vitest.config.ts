import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/**/*.test.ts', 'tools/**/*.test.ts', 'examples/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    pool: 'forks',
    maxWorkers: 4,
    // Four at a time, for many wait. Tests beside real programs share two cores with them; one that fails twice has something to say.
    retry: 1,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
