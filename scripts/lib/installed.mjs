import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describeCpu } from './cpu.mjs';
import { sourcesKey } from './fingerprint.mjs';
import { inRoot } from './paths.mjs';

/**
 * @typedef {object} Origin what an addon was built from; it lies beside the addon, in its tree and where it is installed
 * @property {string} variant
 * @property {string | null} llama the checkout that NUDGING_LLAMA_CPP_DIR named, or null for the pinned source
 * @property {string} sources
 * @property {string | null} cpu null for a portable build
 */

/** What a checkout loads, and a package that somebody built (lib/binary/find.ts). */
export const installedAddon = inRoot('build/Release/nudging.node');
const pinnedSource = inRoot('vendor/llama.cpp');
const originOf = (/** @type {string} */ addon) => path.join(path.dirname(addon), 'nudging-origin.json');

/** @param {import('./configs.mjs').Plan} plan @param {string} llama @returns {Origin} */
export function describeOrigin(plan, llama) {
  return {
    variant: plan.cmake.NUDGING_VARIANT ?? 'cpu',
    llama: llama === pinnedSource ? null : llama,
    sources: sourcesKey('addon', llama),
    cpu: plan.cmake.NUDGING_NATIVE === 'ON' ? describeCpu() : null,
  };
}

/** @param {string} addon @param {Origin} origin */
export function writeOrigin(addon, origin) {
  writeFileSync(originOf(addon), `${JSON.stringify(origin, null, 2)}\n`);
}

/** @param {string} addon @returns {Origin | undefined} */
function readOrigin(addon) {
  try {
    return JSON.parse(readFileSync(originOf(addon), 'utf8'));
  } catch {
    return undefined;
  }
}

/** Whether an addon is there, and what it was built from is known. @param {string} addon */
export const isComplete = (addon) => existsSync(addon) && readOrigin(addon) !== undefined;

/** Puts an addon, unless it is there already, where an installed package loads it. @param {string} addon */
export function install(addon) {
  if (isSameFile(addon, installedAddon) && isSameFile(originOf(addon), originOf(installedAddon))) return;
  mkdirSync(path.dirname(installedAddon), { recursive: true });
  for (const [from, to] of /** @type {const} */ ([
    [addon, installedAddon],
    [originOf(addon), originOf(installedAddon)],
  ])) {
    // A running process has the old file mapped: replace it, never write into it.
    const incoming = `${to}.${process.pid}`;
    copyFileSync(from, incoming);
    const { atime, mtime } = statSync(from);
    utimesSync(incoming, atime, mtime);
    renameSync(incoming, to);
  }
}

/** @param {string} one @param {string} other */
function isSameFile(one, other) {
  // install() hands the time on; reading megabytes to compare them would cost more than the rest of the check.
  const [a, b] = [one, other].map((file) => statSync(file, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.size === b.size && Math.trunc(a.mtimeMs) === Math.trunc(b.mtimeMs);
}

/**
 * Why the installed addon is not what a build would make now, and what builds it. Other compilers and flags do not count: they
 * are settings of a build, and whoever only runs the addon need not repeat them.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {{ reason: string, command: string } | undefined}
 */
export function findStaleness(env = process.env) {
  const origin = readOrigin(installedAddon);
  const named = env.NUDGING_LLAMA_CPP_DIR ? path.resolve(env.NUDGING_LLAMA_CPP_DIR) : undefined;
  const reason = origin ? whyStale(origin, named, env) : 'it is not known what it was built from';
  if (reason === undefined) return undefined;
  // A checkout that is gone cannot be built from again.
  const source = named ?? (origin?.llama && existsSync(origin.llama) ? origin.llama : undefined);
  const variant = env.NUDGING_VARIANT ?? origin?.variant;
  const settings = [
    source && `NUDGING_LLAMA_CPP_DIR=${JSON.stringify(source)} `,
    origin?.cpu === null && 'NUDGING_NATIVE=OFF ',
    'npm run build:native',
    variant && variant !== (process.platform === 'darwin' ? 'metal' : 'cpu') && ` -- --variant ${variant}`,
  ];
  return { reason, command: settings.filter(Boolean).join('') };
}

/** @param {Origin} origin @param {string | undefined} named @param {NodeJS.ProcessEnv} env */
function whyStale(origin, named, env) {
  const llama = origin.llama ?? pinnedSource;
  if (named && named !== llama) return `it was built from ${origin.llama ?? 'the pinned llama.cpp'}, not from ${named}`;
  if (env.NUDGING_VARIANT && env.NUDGING_VARIANT !== origin.variant)
    return `it is the ${origin.variant} variant, not ${env.NUDGING_VARIANT}`;
  if (origin.cpu !== null && origin.cpu !== describeCpu()) return 'it was built for another CPU, and may crash on this one';
  if (!existsSync(llama)) return `the llama.cpp that it was built from, ${llama}, is gone`;
  return origin.sources === sourcesKey('addon', llama) ? undefined : 'its sources have changed since it was built';
}
