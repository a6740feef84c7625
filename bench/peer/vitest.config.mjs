import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: { include: ['bench/peer/*.test.mjs'], pool: 'forks', hookTimeout: 120_000, disableConsoleIntercept: true },
});
