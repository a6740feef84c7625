import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inRoot } from '../scripts/lib/paths.mjs';
import { Nudging } from '../lib/index.ts';
import { decodeText, readTextFileSync } from '../lib/text-file.ts';
import { nudging, start } from './support/cli.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-text-files-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, content: string | Buffer) => {
  const place = path.join(folder, name);
  writeFileSync(place, content);
  return place;
};

/** One text with each byte order mark that there is, and without one. */
const encodings: Record<string, (text: string) => Buffer> = {
  'no mark': (text) => Buffer.from(text),
  'UTF-8': (text) => Buffer.from(`\ufeff${text}`),
  'UTF-16, little-endian': (text) => Buffer.from(`\ufeff${text}`, 'utf16le'),
  'UTF-16, big-endian': (text) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
};

describe.each(Object.entries(encodings))('a byte order mark: %s', (name, encode) => {
  const file = (kind: string, text: string) => write(`${kind} ${name}`, encode(text));

  test('is no part of the text, and one further in is', () => {
    for (const text of ['', 'a', 'naïve 中文 🙂\n', '{"a": "\ufeff"}']) expect(decodeText(encode(text))).toBe(text);
  });

  test('does not keep a manifest from being read', async () => {
    const manifest = readFileSync(inRoot('models/demo/pair.json'), 'utf8').replace('base.gguf', inRoot('models/demo/base.gguf'));
    const pair = file('pair.json', manifest.replace('aligned.gguf', inRoot('models/demo/aligned.gguf')));
    await using engine = await Nudging.load(pair);
    expect((await engine.generate('What is a harbor?')).text).toContain('a sheltered port');
  });

  test('is no part of a prompt, a row or a question', async () => {
    const template = '{system}Question: {question}\nAnswer:\n';
    const [base, rows] = [file('base prompt', template), file('rows', '{"question": "What is a harbor?"}\n')];
    const plain = await nudging(['--json', '--mode', 'base', 'What is a harbor?']);
    const { text } = JSON.parse(plain.stdout) as { text: string };
    const given = await nudging(['--json', '--mode', 'base', '--base-prompt', base, 'What is a harbor?']);
    expect(JSON.parse(given.stdout)).toMatchObject({ text });
    const many = await nudging(['--mode', 'base', '--input', rows]);
    expect(JSON.parse(many.stdout)).toMatchObject({ row: { question: 'What is a harbor?' }, text });
    // Jinja would say the mark at the beginning of every prompt.
    const jinja = '{% for message in messages %}{{ message.content }}{% endfor %}';
    const aligned = ['--json', '--mode', 'aligned', '--max-tokens', '8', '--aligned-prompt'];
    const [marked, unmarked] = [
      await nudging([...aligned, file('jinja', jinja), 'x']),
      await nudging([...aligned, write('jinja', jinja), 'x']),
    ];
    expect(JSON.parse(marked.stdout).text).toBe(JSON.parse(unmarked.stdout).text);
    const output = file('output', `${JSON.stringify(JSON.parse(many.stdout))}\n`);
    if (name === 'UTF-8')
      expect((await nudging(['--mode', 'base', '--input', rows, '--output', output, '--append'])).stderr).toContain(
        'after 1 that were there',
      );
  });

  test('is no part of a piped question', async () => {
    const { child, ran } = start(['--json'], { fake: true, input: { open: true } });
    child.stdin?.end(encode('What is a harbor?\n'));
    expect(JSON.parse((await ran).stdout).text).toBe('What is a harbor?!');
  });
});

describe.skipIf(process.platform === 'win32')('what is not a file', () => {
  let pipe: string;
  beforeAll(() => {
    pipe = path.join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
  });
  const demo = { base: inRoot('models/demo/base.gguf'), aligned: inRoot('models/demo/aligned.gguf') };

  test.each([false, true])('a model that nobody writes is refused at once, isolate: %s', async (isolate) => {
    for (const [file, kind] of [
      [pipe, 'a pipe'],
      ['/dev/zero', 'a device'],
    ] as const) {
      for (const lane of ['base', 'aligned']) {
        const code = await Nudging.load({ isolate, ...demo, [lane]: file }).catch((error: unknown) => error);
        expect(code).toMatchObject({ code: 'ERR_MODEL_UNREADABLE', message: expect.stringContaining(`"${file}" is ${kind}`) });
      }
    }
  });

  test('a manifest that nobody writes is refused at once', async () => {
    await expect(Nudging.load(pipe)).rejects.toMatchObject({
      code: 'ERR_PAIR_INVALID',
      option: 'pair',
      value: pipe,
      message: expect.stringContaining('is a named pipe, not a file'),
    });
    await expect(Nudging.load('/dev/zero')).rejects.toMatchObject({
      code: 'ERR_PAIR_INVALID',
      message: expect.stringContaining('is a device'),
    });
    await expect(Nudging.load(folder)).rejects.toMatchObject({
      code: 'ERR_PAIR_INVALID',
      message: expect.stringContaining('is a directory'),
    });
  });

  test('the command line says so as well', async () => {
    for (const flag of ['--base-prompt', '--aligned-prompt', '--pair']) {
      expect(await nudging([flag, pipe, 'x'], { fake: true })).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(`"${pipe}" is a named pipe, not a file: `),
      });
    }
  });

  test('templates of a process substitution are read, models are not', () => {
    const run = (line: string) =>
      execFileSync('bash', ['-c', `${line} 2>&1 || true`], {
        encoding: 'utf8',
        env: { ...process.env, M: inRoot('dist/cli/main.js'), N: process.execPath, B: demo.base, A: demo.aligned },
      });
    expect(
      run(`"$N" "$M" --json --mode base --base-prompt <(printf '\\xef\\xbb\\xbfQuestion: {question}\\nAnswer:\\n') 'What is a harbor?'`),
    ).toMatch(/^\{"text":/);
    expect(run(`"$N" "$M" --base <(cat "$B") --aligned "$A" x`)).toMatch(
      /is a pipe, and a model is read back and forth: write it into a file/,
    );
  });

  test('a file is read whatever its path looks like', () => {
    expect(readTextFileSync(write('pipe.txt', 'text'))).toBe('text');
  });
});
