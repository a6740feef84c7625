import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/real/*.test.ts'],
    pool: 'forks',
    // Real models keep all cores busy; two files at once would only take them from each other.
    fileParallelism: false,
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    disableConsoleIntercept: true,
  },
});
