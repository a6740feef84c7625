import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { buildCommand, howToBuild } from '../lib/build-command.ts';
import { remedyFor } from '../lib/why-not-loaded.ts';
import { BuildError, describeRefusal } from '../scripts/lib/errors.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';

const scratch = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'nudging-load-')));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test('who has no addon is told how to build it: a checkout by its own script, all others by the command', () => {
  expect(buildCommand()).toBe('npm run build:native');
  expect(buildCommand(scratch)).toBe('npx nudging build');
  expect(howToBuild(scratch)).toBe('build it with "npx nudging build" (needs a C++20 compiler and CMake 3.21 or newer)');
});

describe('what kept the addon from being loaded decides what to do', () => {
  const allowing = (...scopes: string[]) => ({ has: (scope: string) => scopes.includes(scope) });
  const failed = (code: string) => Object.assign(new Error('failed'), { code });
  const around = { named: undefined, permission: undefined, packageRoot: inRoot() };

  test('by the error and what Node says of its permissions', () => {
    expect(remedyFor(failed('ERR_DLOPEN_FAILED'), around)).toMatch(/^build it with/);
    expect(remedyFor(undefined, around)).toMatch(/^build it with/);
    expect(remedyFor(failed('ERR_DLOPEN_FAILED'), { ...around, named: '/x.node' })).toBe('check NUDGING_BINARY (/x.node)');
    const without = (library: string) =>
      Object.assign(new Error(`${library}: cannot open shared object file: No such file or directory`), { code: 'ERR_DLOPEN_FAILED' });
    expect(remedyFor(without('libcublas.so.13'), around)).toMatch(
      /^install the CUDA runtime libraries .*libcublas\.so\.13 to LD_LIBRARY_PATH/,
    );
    expect(remedyFor(without('libcublas.so.13'), { ...around, named: '/x.node' })).toMatch(/^install the CUDA runtime libraries/);
    expect(remedyFor(without('libvulkan.so.1'), around)).toMatch(/^install the package of your system that has libvulkan\.so\.1/);
    // The addon itself, which the loader names in the same words.
    expect(remedyFor(without('/x/nudging.node'), around)).toMatch(/^build it with/);
    expect(remedyFor(failed('ERR_DLOPEN_DISABLED'), around)).toContain('leave out --no-addons');
    expect(remedyFor(failed('ERR_DLOPEN_DISABLED'), { ...around, named: '/x.node' })).toContain('leave out --no-addons');
    expect(remedyFor(failed('ERR_DLOPEN_DISABLED'), { ...around, permission: allowing('fs.read') })).toContain('add --allow-addons');
    expect(remedyFor(failed('ERR_ACCESS_DENIED'), around)).toContain(`add --allow-fs-read=${inRoot()}`);
    // A file that may not be read looks like one that is not there.
    const notFound = new Error('not installed');
    expect(remedyFor(notFound, { ...around, permission: allowing() })).toContain(`add --allow-fs-read=${inRoot()}`);
  });

  /** What loading says in a Node that was started with these flags. */
  const load = (flags: string[], env: NodeJS.ProcessEnv = {}, options = '{}') => {
    const script = `import('${inRoot('dist/index.js')}')
      .then(({ Nudging }) => Nudging.load(${options}))
      .then((nudging) => nudging.close().then(() => console.log('fine')), ({ code, message }) => console.log(code, message))`;
    const around = { cwd: scratch, encoding: 'utf8', env: { ...process.env, ...env } } as const;
    const { stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', script], around);
    return `${stdout}${stderr.replace(/^.*ExperimentalWarning.*\n.*\n/gm, '')}`;
  };
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const permission = major > 22 || (major === 22 && minor >= 13) ? '--permission' : '--experimental-permission';

  test('with --no-addons', () => {
    expect(load(['--no-addons'])).toMatch(/^ERR_NATIVE_LOAD .*leave out --no-addons/);
  });

  test('under the permission model', () => {
    const all = [permission, '--allow-fs-read=*', '--allow-fs-write=*'];
    expect(load(all)).toMatch(/^ERR_NATIVE_LOAD .*add --allow-addons\n/);
    expect(load([...all, '--allow-addons'])).toMatch(/^fine/);
    expect(load([...all, '--allow-addons'], {}, '{ isolate: true }')).toMatch(/^ERR_ENGINE_CRASHED .*add --allow-child-process\n/);
  });

  test('a relative NUDGING_BINARY is relative to the working directory, isolated or not', () => {
    const named = path.relative(scratch, inRoot('build/Release/nudging.node'));
    expect(load([], { NUDGING_BINARY: named })).toBe('fine\n');
    expect(load([], { NUDGING_BINARY: named }, '{ isolate: true }')).toBe('fine\n');
    expect(load([], { NUDGING_BINARY: 'no/such.node' })).toContain(`check NUDGING_BINARY (${path.join(scratch, 'no/such.node')})`);
  });
});

describe('a script that may not write', () => {
  const refused = (code: string) => Object.assign(new Error(code), { code, syscall: 'mkdir', path: '/opt/nudging/.native' });

  test('says so in a sentence, and shows a stack for what it does not know', () => {
    const remedy = 'run this as the user who may write there, or change the permissions (EACCES).';
    expect(describeRefusal(refused('EACCES'))).toBe(`mkdir "/opt/nudging/.native" is not allowed: ${remedy}`);
    expect(describeRefusal(refused('ENOSPC'))).toContain('the disk is full: make room');
    expect(describeRefusal(refused('EMFILE'))).toBeUndefined();
    expect(describeRefusal(Object.assign(new Error('x'), { code: 'EACCES' }))).toBeUndefined();
    expect(describeRefusal(new BuildError('x'))).toBeUndefined();
  });

  test('and ends with exit code 1', () => {
    const script = `import { runMain } from '${inRoot('scripts/lib/errors.mjs')}';
      await runMain(async () => { throw Object.assign(new Error(), { code: 'EROFS', syscall: 'open', path: '/x' }); });`;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(stderr).toBe('nudging: open "/x" failed, because the disk is read-only: install the package somewhere else (EROFS).\n');
    expect(status).toBe(1);
  });
});
