import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inRoot } from './paths.mjs';
import { run } from './process.mjs';

/** @typedef {{ name: string, passed: number, failed: number, ok: boolean }} Outcome */

/**
 * @param {import('./configs.mjs').Plan} plan
 * @returns {Promise<Outcome>}
 */
export async function runNativeTests(plan) {
  const name = 'native tests';
  if (!existsSync(path.join(plan.out, 'CTestTestfile.cmake'))) {
    console.error('no native tests were built');
    return { name, passed: 0, failed: 1, ok: false };
  }
  const { code, output } = await run(
    'ctest',
    [
      ...['--test-dir', plan.out, '--build-config', plan.buildType, '--output-on-failure', '--no-tests=error'],
      ...['--parallel', String(os.availableParallelism())],
    ],
    { onOutput: (text) => process.stdout.write(text) },
  );
  const [, failedFiles = code === 0 ? 0 : 1] = (/(\d+) tests failed out of \d+/.exec(output) ?? []).map(Number);
  const log = path.join(plan.out, 'Testing/Temporary/LastTest.log');
  const { passed, failed } = countCases(existsSync(log) ? readFileSync(log, 'utf8') : '');
  // A file whose tests crashed has no line of its own.
  return { name, passed, failed: Math.max(failed, failedFiles), ok: code === 0 };
}

/** CTest counts files; each file's run ends with the number of its cases. @param {string} log */
function countCases(log) {
  const counts = { passed: 0, failed: 0 };
  for (const [, passed, failed] of log.matchAll(/^(\d+) passed, (\d+) failed$/gm)) {
    counts.passed += Number(passed);
    counts.failed += Number(failed);
  }
  return counts;
}

/**
 * @param {readonly string[]} filters
 * @returns {Promise<Outcome>}
 */
export async function runUnitTests(filters) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-test-'));
  const report = path.join(folder, 'vitest.json');
  try {
    const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...filters];
    const { code } = await run(process.execPath, [inRoot('node_modules/vitest/vitest.mjs'), ...args], {
      cwd: inRoot(),
      inherit: true,
    });
    const name = 'TypeScript tests';
    // Vitest died before it could write down anything.
    if (!existsSync(report)) return { name, passed: 0, failed: 1, ok: false };
    const { numPassedTests: passed, numFailedTests, numFailedTestSuites } = JSON.parse(readFileSync(report, 'utf8'));
    // A file that cannot be loaded has no tests that could fail.
    const failed = numFailedTests || (code === 0 ? 0 : Math.max(1, numFailedTestSuites));
    return { name, passed, failed, ok: code === 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
