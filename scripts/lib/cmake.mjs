import { createRequire } from 'node:module';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { availableCores } from './cores.mjs';
import { BuildError } from './errors.mjs';
import { root } from './paths.mjs';
import { run } from './process.mjs';
import { relevantLines, showProgress } from './progress.mjs';
import { findCompilers } from './requirements.mjs';

/** @typedef {{ getConfigureCommand(): Promise<string[]>, getBuildCommand(): Promise<string[]> }} CMakeJs */

const load = createRequire(import.meta.url);

/**
 * Lets cmake-js say how to call CMake (Node-API headers, generator, Windows import library), and calls it ourselves:
 * cmake-js would print everything, and would configure an existing tree again only by wiping it.
 * @param {import('./configs.mjs').Plan} plan
 * @param {string} llama
 * @param {readonly string[]} targets empty for all
 */
export async function configureAndBuild(plan, llama, targets) {
  mkdirSync(plan.out, { recursive: true });
  const commands = await askCMakeJs(plan, llama);
  const log = path.join(plan.out, 'build.log');
  writeFileSync(log, '');
  await runLogged(commands.configure, plan.out, log, 'CMake could not configure the build');
  const build = [...commands.build, '--parallel', String(availableCores())];
  if (targets.length > 0) build.push('--target', ...targets);
  await runLogged(build, plan.out, log, 'the build failed');
}

/** @param {import('./configs.mjs').Plan} plan @param {string} llama */
async function askCMakeJs(plan, llama) {
  /** @type {{ BuildSystem: new (options: object) => CMakeJs }} */
  const { BuildSystem } = load('cmake-js');
  const compilers = process.platform === 'win32' ? undefined : findCompilers();
  const options = {
    directory: root,
    out: plan.out,
    config: plan.buildType,
    noLog: true,
    cppCompilerPath: compilers?.cxx,
    cCompilerPath: compilers?.c,
    cMakeOptions: { ...plan.cmake, NUDGING_LLAMA_CPP_DIR: llama },
  };
  const cmakeJs = new BuildSystem(options);
  return { configure: await cmakeJs.getConfigureCommand(), build: await cmakeJs.getBuildCommand() };
}

/** @param {readonly string[]} command @param {string} cwd @param {string} log @param {string} failure */
async function runLogged(command, cwd, log, failure) {
  const [program = '', ...args] = command;
  const progress = showProgress(process.stderr);
  // ccache then knows a file again in another checkout of the same package.
  const env = { CCACHE_BASEDIR: root, CCACHE_NOHASHDIR: '1', ...process.env };
  const { code, output } = await run(program, args, { cwd, env, onOutput: (text) => progress.take(text) });
  progress.end();
  writeFileSync(log, `${command.join(' ')}\n${output}\n`, { flag: 'a' });
  if (code === 0) return;
  const shown = relevantLines(output)
    .map((line) => `  ${line}`)
    .join('\n');
  throw new BuildError(`${failure}:\n${shown}\n  The whole log: ${path.relative(process.cwd(), log)}`);
}
