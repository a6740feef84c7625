import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ensureSource } from '../../vendor/fetch.mjs';
import { configureAndBuild } from './cmake.mjs';
import { fingerprint } from './fingerprint.mjs';
import { describeOrigin, install, installedAddon, isComplete, writeOrigin } from './installed.mjs';
import { checkKernels, describeHarm, writeRecord } from './kernels.mjs';
import { withLock } from './lock.mjs';
import { checkRequirements } from './requirements.mjs';

/** @typedef {import('./configs.mjs').Plan} Plan */
/** @typedef {import('./configs.mjs').Part} Part */

const targets = { addon: 'nudging', tests: 'nudge_test', tools: 'nudging_test_tools' };
const addonIn = (/** @type {Plan} */ plan) => path.join(plan.out, 'nudging.node');
const stampOf = (/** @type {Plan} */ plan, /** @type {Part} */ part) => path.join(plan.out, `${part}.stamp`);

/**
 * Brings the native side up to date; does nothing when it is.
 * @param {Plan} plan
 * @param {(line: string) => void} [log]
 * @returns {Promise<boolean>} whether anything was built
 */
export async function buildNative(plan, log = console.error) {
  const llama = await ensureSource({ log, thorough: plan.parts.includes('tests') });
  const stale = () => plan.parts.filter((part) => !isUpToDate(plan, part, fingerprint(plan, part, llama)));
  if (stale().length === 0) return false;
  await checkRequirements({ variant: plan.cmake.NUDGING_VARIANT ?? 'cpu' });
  return withLock(`${plan.out}.lock`, () => build(plan, stale(), llama, log), log);
}

/** @param {Plan} plan @param {Part[]} parts @param {string} llama @param {(line: string) => void} log */
async function build(plan, parts, llama, log) {
  // Somebody else built it while we waited for the lock.
  if (parts.length === 0) return false;
  // Taken before compiling: a file saved meanwhile makes the next build run again.
  const keys = parts.map((part) => fingerprint(plan, part, llama));
  const origin = describeOrigin(plan, llama);
  log(`building ${plan.name} (${parts.join(', ')}) …`);
  for (const part of parts) rmSync(stampOf(plan, part), { force: true });
  await configureAndBuild(
    plan,
    llama,
    parts.map((part) => targets[part]),
  );
  if (parts.includes('addon')) {
    writeOrigin(addonIn(plan), origin);
    if (plan.isRelease) install(addonIn(plan));
    await tryKernels(plan, log);
  }
  parts.forEach((part, index) => writeFileSync(stampOf(plan, part), keys[index] ?? ''));
  return true;
}

/**
 * Each load heeds what is found; a build that cannot find out (one with sanitizers needs their library) leaves it to the first load.
 * @param {Plan} plan
 * @param {(line: string) => void} log
 */
async function tryKernels(plan, log) {
  const harmful = await checkKernels(addonIn(plan));
  if (!harmful) return;
  for (const addon of plan.isRelease ? [addonIn(plan), installedAddon] : [addonIn(plan)]) writeRecord(addon, harmful);
  for (const harm of harmful) log(describeHarm(harm));
}

/** @param {Plan} plan @param {Part} part @param {string} key */
function isUpToDate(plan, part, key) {
  const stamp = stampOf(plan, part);
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== key) return false;
  if (part !== 'addon') return true;
  if (!isComplete(addonIn(plan))) return false;
  // Another variant may have been built in between, or build/ wiped by node-gyp.
  if (plan.isRelease) install(addonIn(plan));
  return true;
}
