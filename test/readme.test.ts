import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateRules, loadRules } from '../lib/options.ts';
import { inRoot } from '../scripts/lib/paths.mjs';

const run = promisify(execFile);
const readme = readFileSync(inRoot('README.md'), 'utf8');
const blocks = [...readme.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({ language, text }));
const programs = blocks.filter(({ language }) => language === 'ts').map(({ text }) => text);
const commands = blocks.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.trim().split('\n'));

/** What installs and builds takes minutes: .ci/run and `npm run test:install` run these. */
const runElsewhere = ['npm ci && npm start -- "What is a harbor?"', 'npm ci && npm test', 'npm i nudging'];

// A project that has installed the package and holds the files that the README calls yours.
const project = mkdtempSync(path.join(os.tmpdir(), 'nudging-readme-'));
beforeAll(() => {
  mkdirSync(path.join(project, 'node_modules'));
  symlinkSync(inRoot(), path.join(project, 'node_modules/nudging'), 'junction');
  symlinkSync(inRoot('node_modules/ai'), path.join(project, 'node_modules/ai'), 'junction');
  for (const name of ['base.gguf', 'aligned.gguf']) copyFileSync(inRoot('models/demo', name), path.join(project, name));
  writeFileSync(path.join(project, 'in.jsonl'), '{"question":"What is a harbor?"}\n');
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

describe('what the README shows', () => {
  test('is only what is run here or in CI', () => {
    expect(blocks.filter(({ language }) => !['ts', 'sh'].includes(language))).toEqual([]);
    expect(commands.filter((line) => runElsewhere.includes(line))).toEqual(runElsewhere);
    const others = commands.filter((line) => !runElsewhere.includes(line));
    expect(others.filter((line) => !line.startsWith('npx nudging '))).toEqual([]);
    expect([programs.length, others.length]).toEqual([2, 8]);
  });

  test('begins with nothing but `Nudging.load()`', () => {
    expect(programs[0]).toContain('= await Nudging.load();');
  });

  test.each(programs.map((text, index) => [index + 1, text]))('program %i runs, and answers', async (index, text) => {
    writeFileSync(path.join(project, `${index}.mjs`), text);
    const { stdout, stderr } = await run(process.execPath, [`${index}.mjs`], { cwd: project });
    expect(stdout).toContain('a sheltered port');
    expect(stderr).toBe('');
  });

  test.each(commands.filter((line) => line.startsWith('npx ')))('%s', async (line) => {
    // Without npx, which would look the package up, and without a shell, which Windows does not have: words, perhaps in quotes, and a
    // comment.
    const words = [...line.replace(/ +# .*$/, '').matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word).slice(2);
    const { stdout } = await run(process.execPath, [inRoot('dist/cli/main.js'), ...words], { cwd: project });
    const output = words.includes('--output') ? readFileSync(path.join(project, 'out.jsonl'), 'utf8') : stdout;
    expect(output.trim()).not.toBe('');
    if (!words.some((word) => ['--mode', '--temperature', '--help', 'eval'].includes(word))) expect(output).toContain('a sheltered port');
  });

  // Those that need no more than this folder has, and end.
  test.each(['docs/ai-sdk.md', 'docs/guide.md', 'docs/telemetry.md'])('programs of %s run', async (page) => {
    const text = readFileSync(inRoot(page), 'utf8');
    const whole = [...text.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code).filter((code) => code.startsWith('import '));
    expect(whole.length).toBeGreaterThan(0);
    for (const code of whole) {
      writeFileSync(path.join(project, 'page.mjs'), code);
      const { stdout, stderr } = await run(process.execPath, ['page.mjs'], { cwd: project });
      if (code.includes('Nudging.load()')) expect(stdout).toContain('a sheltered port');
      expect(stderr).toBe('');
    }
  });

  test('links only to what is there', () => {
    const pagesIn = (folder: string) =>
      readdirSync(inRoot(folder))
        .filter((name) => name.endsWith('.md'))
        .map((name) => path.join(folder, name));
    const models = ['models/demo', 'models/harbor', 'models/recipe', 'models/recipe/harbor'];
    const reference = ['docs/api', 'docs/api/nudging'];
    const pages = ['.', 'docs', ...reference, 'examples', 'vendor', 'bench', 'test/real', ...models].flatMap(pagesIn);
    const broken = pages.flatMap((page) => {
      const text = readFileSync(inRoot(page), 'utf8');
      const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target).filter((target) => !/^\w+:/.test(target));
      return targets.filter((target) => !isThere(page, target)).map((target) => `${page}: ${target}`);
    });
    expect(broken).toEqual([]);
  });
});

test('the option tables name every option, each in the table where it belongs', () => {
  // A table under the first heading is for generations, the next one for loading alone.
  const tables = readme
    .split('| option | default |')
    .slice(1)
    .map((table) => table.slice(0, table.indexOf('\n\n')));
  const named = tables.map((table) =>
    [...table.matchAll(/^\| ([^|]*)/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name)),
  );
  const ofLoadAlone = Object.keys(loadRules).filter((name) => !(name in generateRules));
  expect(named.map((names) => [...names].sort())).toEqual([Object.keys(generateRules).sort(), ofLoadAlone.sort()]);
});

test('every `npm run` that a page names is there', () => {
  const { scripts } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8')) as { scripts: Record<string, string> };
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    ...readdirSync(inRoot('docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ];
  const named = pages.flatMap((page) =>
    [...readFileSync(inRoot(page), 'utf8').matchAll(/npm run (?:--silent )?([a-z][\w:]*)/g)].map(([, name = '']) => name),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});

/** Whether a link leads to a file, and to a heading if it names one. */
function isThere(page: string, target: string): boolean {
  const [file = '', heading] = target.split('#');
  const place = file === '' ? inRoot(page) : path.resolve(inRoot(path.dirname(page)), file);
  if (!existsSync(place)) return false;
  if (heading === undefined || !place.endsWith('.md')) return true;
  return anchorsOf(place).has(heading);
}

const anchors = new Map<string, Set<string>>();

/** What a fragment may name on a page: headings, numbered where they come again, and anchors. */
function anchorsOf(place: string): Set<string> {
  const known = anchors.get(place);
  if (known) return known;
  const page = readFileSync(place, 'utf8');
  const titles = [...page.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => title.toLowerCase());
  const seen = new Map<string, number>();
  const headings = titles.map((title) => {
    const slug = title.replace(/[^\w\- ]/g, '').replaceAll(' ', '-');
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  });
  const found = new Set([...headings, ...[...page.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)]);
  anchors.set(place, found);
  return found;
}

test('the API reference has a heading for everything that can be imported', async () => {
  const { exports } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8')) as { exports: Record<string, unknown> };
  const entries = Object.keys(exports).filter((entry) => !entry.endsWith('.json'));
  expect(entries.length).toBeGreaterThan(2);
  for (const entry of entries) {
    const name = path.posix.join('nudging', entry);
    const page = readFileSync(inRoot('docs/api', `${name}.md`), 'utf8');
    const headings = [...page.matchAll(/^### (\w+)/gm)].map(([, title]) => title);
    expect(Object.keys(await import(name)).filter((each) => !headings.includes(each))).toEqual([]);
  }
});

test('docs/environment.md names every variable of ours and of the hub that something reads, and no other', () => {
  const names = (file: string, pattern: RegExp) => [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, name = '']) => name);
  const filesIn = (folder: string) => (readdirSync(inRoot(folder), { recursive: true }) as string[]).map((file) => inRoot(folder, file));
  const sources = [...['lib', 'scripts', 'native', 'bench', 'test'].flatMap(filesIn), inRoot('vendor/fetch.mjs')];
  const code = sources.filter((file) => /\.(ts|mjs|cjs|cpp|h)$/.test(file));
  const read = code.flatMap((file) => names(file, /(?:env\.|env\['|getenv\("|childMark = ')((?:NUDGING|HF|HUGGING_?FACE)_[A-Z_]+)/g));
  const named = names(inRoot('docs/environment.md'), /^\| `((?:NUDGING|HF|HUGGING_?FACE)_[A-Z_]+)`/gm);
  expect([...named].sort()).toEqual([...new Set(read)].sort());
});
