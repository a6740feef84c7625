import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Those need weights that are not in the tree: npm run test:real.
    exclude: [...configDefaults.exclude, 'test/real/**'],
    // A model's threads and a native crash stay inside one process each.
    pool: 'forks',
    testTimeout: 30_000,
    // `npm pack` compresses the whole package before it can list it.
    hookTimeout: 120_000,
  },
});
