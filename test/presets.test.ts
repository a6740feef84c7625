import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, describe, expect, test } from 'vitest';
import { readHubName } from '../lib/hub/name.ts';
import { readPair, type NudgingError } from '../lib/index.ts';
import { check } from '../lib/options.ts';
import { embeddedPairs } from '../lib/embedded-pairs.ts';
import { manifestRules } from '../lib/pair.ts';
import { memoryOf, presetNamed, presetNames, usualContext, type Preset } from '../lib/presets.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { start } from './support/cli.ts';
import { HubServer } from './support/hub-server.ts';
import { hasPty, play } from './support/pty.ts';

const read = (name: string) => JSON.parse(readFileSync(inRoot(name), 'utf8'));
const files = readdirSync(inRoot('models/presets'));
const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-presets-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(files)('%s', (file) => {
  const preset: Preset & { $schema: string } = read(`models/presets/${file}`);

  test('is what its schema says', () => {
    const ajv = new Ajv({ allowUnionTypes: true });
    ajv.addSchema(read('schema/pair.schema.json'), 'pair.schema.json');
    const validate = ajv.compile(read('schema/preset.schema.json'));
    validate(preset);
    expect(validate.errors).toBeNull();
    expect(path.resolve(inRoot('models/presets'), preset.$schema)).toBe(inRoot('schema/preset.schema.json'));
    expect(`${preset.name}.json`).toBe(file);
    // Without its description of a γ a value is somebody's guess.
    expect(preset.gammaFrom === undefined).toBe(preset.pair.gamma === undefined);
  });

  test('holds a pair that can be loaded', async () => {
    check(preset.pair, manifestRules);
    for (const lane of ['base', 'aligned'] as const) {
      const name = readHubName(preset.pair[lane] as string, lane);
      // Which file it is must not depend on what a repository gets one day.
      expect(name.quant ?? name.file).toBeDefined();
      expect(preset.models[lane].page).toBe(`https://huggingface.co/${name.repo}`);
    }
    const { $schema, ...pair } = (await readPair(preset.name)) as object & { $schema?: string };
    expect(pair).toEqual({ name: preset.name, description: preset.description, ...preset.pair });
  });

  test('has sizes that go with each other', () => {
    for (const { parameters, bytes } of Object.values(preset.models)) {
      // From 4 to 9 bits a weight, tables of tokens included.
      expect((bytes * 8) / parameters).toBeGreaterThan(4);
      expect((bytes * 8) / parameters).toBeLessThan(9.5);
    }
    expect(preset.models.base.parameters).toBeGreaterThan(preset.models.aligned.parameters);
  });
});

test('docs/models.md has all of them in its table', async () => {
  const table = readFileSync(inRoot('docs/models.md'), 'utf8').split('| pair |')[1]?.split('\n\n')[0] ?? '';
  expect([...table.matchAll(/^\| `([\w.-]+)`/gm)].map(([, name]) => name).sort()).toEqual(await presetNames());
});

test('memory is weights, caches, and a tenth', async () => {
  const preset = (await presetNamed('llama-3.1-8b')) as Preset;
  const { base, aligned } = preset.models;
  const parts = base.bytes + aligned.bytes + (base.cacheBytesPerToken + aligned.cacheBytesPerToken) * usualContext;
  expect(memoryOf(preset)).toBe(Math.round(parts * 1.1));
  // 32 layers, 8 heads of 128 numbers, keys and values, two bytes each.
  expect(base.cacheBytesPerToken).toBe(32 * 8 * 128 * 2 * 2);
});

describe('--pair and load({ pair })', () => {
  const refusal = async (name: string) => (await readPair(name).catch((reason: unknown) => reason)) as NudgingError;

  test('know all of them by name, and are told of one that is near', async () => {
    expect(await presetNames()).toEqual(files.map((file) => file.replace('.json', '')).sort());
    expect(await refusal('gema-3-270m')).toMatchObject({
      code: 'ERR_PAIR_INVALID',
      message: expect.stringContaining('did you mean the pair gemma-3-270m?'),
    });
    expect((await refusal('LLAMA-3.1-8B')).message).toContain('did you mean the pair llama-3.1-8b?');
    expect((await refusal('nothing-like-it-at-all')).message).toMatch(
      /does not exist: pass the path of a pair\.json, or a name that nudging pairs lists$/,
    );
    expect((await refusal('nothing-like-it.json')).message).toMatch(/does not exist: pass the path of a pair\.json$/);
    expect((await refusal(folder)).message).toMatch(/ is a directory: pass the path of a pair\.json$/);
    expect((await refusal('./gemma-3-270m')).message).toMatch(/does not exist: pass the path of a pair\.json$/);
    expect((await refusal('../presets/gemma-3-270m')).message).toMatch(/does not exist/);
  });

  test('know the pairs that come with the package', async () => {
    for (const name of embeddedPairs) {
      const manifest = inRoot('models', name, 'pair.json');
      expect(await readPair(name)).toEqual(await readPair(manifest));
      expect((await readPair(name)).name).toBe(name);
    }
    expect((await refusal('harbour')).message).toContain('did you mean the pair harbor?');
  });

  test('take a file of that name first', async () => {
    writeFileSync(path.join(folder, 'qwen-3'), JSON.stringify({ base: 'b.gguf', aligned: 'a.gguf' }));
    const before = process.cwd();
    process.chdir(folder);
    try {
      expect((await readPair('qwen-3')).base).toMatch(/b\.gguf$/);
    } finally {
      process.chdir(before);
    }
  });

  test('load what it names', async () => {
    const server = await HubServer.start();
    try {
      const { pair } = (await presetNamed('gemma-3-270m')) as Preset;
      const [base, aligned] = [readHubName(pair.base as string, 'base'), readHubName(pair.aligned as string, 'aligned')];
      server.add(base.repo, { 'x-Q8_0.gguf': readFileSync(inRoot('models/demo/base.gguf')) });
      server.add(aligned.repo, { 'x-Q4_1.gguf': readFileSync(inRoot('models/demo/aligned.gguf')) });
      const env = { HF_ENDPOINT: server.url, HF_HOME: folder, HF_TOKEN: '', HF_HUB_CACHE: '', HF_HUB_OFFLINE: '' };
      const pulled = await start(['pull', 'gemma-3-270m', '--json'], { env }).ran;
      expect(JSON.parse(pulled.stdout).map(({ name }: any) => name)).toEqual([pair.base, pair.aligned]);
      const answered = await start(['--threads', '1', '--pair', 'gemma-3-270m', 'What is a harbor?'], { env }).ran;
      expect(answered).toMatchObject({ code: 0, stdout: expect.stringContaining('a sheltered port') });
    } finally {
      await server.close();
    }
  });
});

describe('nudging pairs', () => {
  const command = (...args: string[]) => start(args, { fake: true }).ran;

  test.skipIf(!hasPty)('has lines in place of a table where a terminal is too narrow', async () => {
    const { output } = await play(['pairs'], [], { fake: true, columns: 40 });
    const lines = output.replaceAll('\r', '').split('\n');
    expect(lines).toContain('gemma-3-270m');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40);
    const one = await play(['pairs', 'gemma-3-270m'], [], { fake: true, columns: 60 });
    const words = one.output.replaceAll('\r', '').split('\n');
    expect(words.filter((line) => line.length > 60 && !line.includes('https://'))).toEqual([]);
    expect(one.output).toMatch(/^ {2}measured \w/m);
    const wide = await play(['pairs'], [], { fake: true, columns: 140 });
    expect(wide.output).toMatch(/^gemma-3-270m .* (yes|no) /m);
  });

  test('lists them with what they take', async () => {
    const { stdout, code } = await command('pairs');
    expect(code).toBe(0);
    for (const name of await presetNames()) expect(stdout).toMatch(new RegExp(`^${name.replaceAll('.', '\\.')} .* (yes|no) `, 'm'));
    expect(stdout).toMatch(/^gemma-2-27b .* unverified /m);
    expect(stdout).toContain('Unverified: ');
    const known = JSON.parse((await command('pairs', '--json')).stdout);
    for (const preset of known) expect(preset).toMatchObject({ memory: memoryOf(preset), fits: expect.any(Boolean) });
    // Nothing fits that is larger than what fits not.
    const sizes = (fits: boolean) => known.filter((preset: any) => preset.fits === fits).map(({ memory }: any) => memory);
    expect(Math.max(0, ...sizes(true))).toBeLessThan(Math.min(Infinity, ...sizes(false)));
  });

  test('says of one what is known', async () => {
    const { stdout } = await command('pairs', 'llama-2-70b');
    expect(stdout).toContain('hf:TheBloke/Llama-2-70B-GGUF:Q4_K_M');
    expect(stdout).toContain('gamma    0.4 (Fei et al. 2024');
    expect(stdout).toContain('measured not measured here');
    expect(await command('pairs', 'x')).toMatchObject({ code: 2, stderr: expect.stringContaining('must be one of gemma-2-27b, ') });
  });
});
