import os from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';

const test = {
  // Those need weights that are not in the tree: npm run test:real.
  exclude: [...configDefaults.exclude, 'test/real/**'],
  // A model's threads and a native crash stay inside one process each.
  pool: 'forks' as const,
  testTimeout: 30_000,
  // `npm pack` compresses the whole package before it can list it.
  hookTimeout: 120_000,
};

/** Files with claims about milliseconds, memory, or who comes first among many: what else the machine does would change them. */
const alone = [
  'bench',
  'concurrency',
  'counting',
  'gguf',
  'hostile',
  'hub-processes',
  'isolate',
  'lifecycle',
  'long-texts',
  'memory',
  'rpc',
  'rpc-probe',
  'server-life',
].map((name) => `test/${name}.test.ts`);

export default defineConfig({
  test: {
    projects: [
      // The demo models keep one core busy, so that a worker a core is a file a core.
      {
        test: {
          ...test,
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...test.exclude, ...alone],
          maxWorkers: os.availableParallelism(),
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...test, name: 'alone', include: alone, fileParallelism: false, sequence: { groupOrder: 1 } } },
    ],
  },
});
