import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inRoot } from '../scripts/lib/paths.mjs';
import { start } from './support/cli.ts';
import { HubServer } from './support/hub-server.ts';

/** An interpreter that has `huggingface_hub`: the cache is meant for both, and only it knows what it takes. */
const python = process.env['NUDGING_TEST_HUB_PYTHON'];

describe.skipIf(python === undefined)("Python's huggingface_hub", () => {
  let server: HubServer;
  let home: string;
  let env: NodeJS.ProcessEnv;

  beforeEach(async () => {
    server = await HubServer.start();
    home = mkdtempSync(path.join(os.tmpdir(), 'nudging-hub-'));
    // Python takes an empty path for one.
    const { HF_TOKEN, HF_HUB_CACHE, HF_HUB_OFFLINE, ...others } = process.env;
    env = { ...others, HF_ENDPOINT: server.url, HF_HOME: home, HF_HUB_DISABLE_XET: '1' };
    server.add('owner/demo', { 'base-F16.gguf': readFileSync(inRoot('models/demo/base.gguf')) });
    server.add('owner/small', { 'aligned-F16.gguf': readFileSync(inRoot('models/demo/aligned.gguf')) });
  });
  afterEach(async () => {
    await server.close();
    rmSync(home, { recursive: true, force: true });
  });

  const command = (...args: string[]) => start(args, { env }).ran;
  const ask = async (script: string) => {
    const { stdout } = await promisify(execFile)(python as string, ['-c', `import json\nfrom huggingface_hub import *\n${script}`], {
      env,
    });
    return JSON.parse(stdout);
  };

  test('finds what was pulled here, and has nothing to complain of', async () => {
    const { stdout } = await command('pull', 'hf:owner/demo');
    expect(await ask("print(json.dumps(hf_hub_download('owner/demo', 'base-F16.gguf', local_files_only=True)))")).toBe(stdout.trim());
    const before = server.fetched.length;
    expect(await ask("print(json.dumps(hf_hub_download('owner/demo', 'base-F16.gguf')))")).toBe(stdout.trim());
    expect(server.fetched.length).toBe(before);
    const scan = `info = scan_cache_dir()
repos = [[r.repo_id, r.size_on_disk, [list(v.refs) for v in r.revisions]] for r in info.repos]
print(json.dumps([[str(w) for w in info.warnings], repos]))`;
    expect(await ask(scan)).toEqual([[], [['owner/demo', 8_660_544, [['main']]]]]);
  });

  test('leaves what is found here, offline', async () => {
    const theirs = [
      await ask("print(json.dumps(hf_hub_download('owner/demo', 'base-F16.gguf')))"),
      await ask("print(json.dumps(hf_hub_download('owner/small', 'aligned-F16.gguf')))"),
    ];
    env['HF_HUB_OFFLINE'] = '1';
    const { stdout } = await command('pull', 'hf:owner/demo', 'hf:owner/small');
    expect(stdout.trim().split('\n')).toEqual(theirs);
    expect(JSON.parse((await command('models', '--json')).stdout).length).toBe(2);
  });

  test('at the same time harms neither', async () => {
    server.mischief = () => ({ pauseMs: 1 });
    const [theirs, ours] = await Promise.all([
      ask("print(json.dumps(hf_hub_download('owner/demo', 'base-F16.gguf')))"),
      command('pull', 'hf:owner/demo'),
    ]);
    expect(ours).toMatchObject({ code: 0, stdout: `${theirs}\n` });
    expect(readFileSync(theirs).equals(readFileSync(inRoot('models/demo/base.gguf')))).toBe(true);
  });
});
