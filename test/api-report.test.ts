import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { apiReport } from '../scripts/lib/api-report.mjs';
import { entryPoints } from '../scripts/lib/entry-points.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';

const scratch = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'nudging-api-'));
const dist = path.join(scratch, 'dist');
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
beforeEach(() => {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist);
});

/** Reports on entries that are written here, with further files beside them. */
function reportOn(entries: Record<string, string>, others: Record<string, string> = {}) {
  for (const [name, text] of Object.entries({ ...entries, ...others })) writeFileSync(path.join(dist, `${name}.d.ts`), text);
  return apiReport(Object.fromEntries(Object.keys(entries).map((name) => [name, path.join(dist, `${name}.d.ts`)])), dist);
}

test('api/ is what the entry points declare', () => {
  const pages = apiReport(Object.fromEntries(entryPoints().map(({ name, declaration }) => [name, declaration])), inRoot('dist'));
  const names = Object.keys(pages);
  expect(names).toEqual(['nudging', 'nudging/server', 'nudging/ai-sdk', 'nudging/otel']);
  const file = (name: string) => `${name.replace('/', '-')}.md`;
  const remedy = 'the public API has changed; if that is meant, `npm run api:report` writes it down (RELEASING.md: what is promised)';
  for (const name of names) expect(readFileSync(inRoot('api', file(name)), 'utf8'), remedy).toBe(pages[name]);
  expect(readdirSync(inRoot('api')).sort()).toEqual(names.map(file).sort());
});

test('words about a declaration are no part of it, and its type is', () => {
  const text = (comment: string, type: string) => reportOn({ a: `/** ${comment} */\nexport declare const x: ${type};\n` })['a'];
  expect(text('One.', '1')).toBe('# a\n\n```ts\nexport declare const x: 1;\n```\n');
  expect(text('Two.', '1')).toBe(text('One.', '1'));
  expect(text('One.', '2')).not.toBe(text('One.', '1'));
});

test('nor is the order, or in which file something is declared', () => {
  const [x, y] = ['export interface X {\n    a: 1;\n}\n', 'export interface Y {\n    x: 1;\n}\n'];
  const together = reportOn({ a: x + y });
  expect(reportOn({ a: y + x })).toEqual(together);
  expect(reportOn({ a: "export * from './y.ts';\nexport type { X } from './x.ts';\n" }, { x, y })).toEqual(together);
});

test('what users cannot reach is left out, and a constructor that they may not call is not', () => {
  const text = `import type { Inner } from './inner.ts';
export declare class Engine {
    #own;
    private secret: Inner;
    /** @internal */
    wired(inner: Inner): void;
    protected shared: number;
    private constructor();
    close(): Promise<void>;
}
`;
  expect(reportOn({ a: text }, { inner: 'export interface Inner {\n    a: 1;\n}\n' })['a']).toBe(`# a

\`\`\`ts
export declare class Engine {
    protected shared: number;
    private constructor();
    close(): Promise<void>;
}
\`\`\`
`);
});

test('what an exported declaration is made of counts, however many modules away', () => {
  const inner = (type: string) => ({ inner: `export type Inner = { list: import('./innermost.ts').Most[] };\n`, innermost: type });
  const outer = "import type { Inner } from './inner.ts';\nexport declare function f(inner: Inner): void;\n";
  const page = reportOn({ a: outer }, inner('export type Most = 1;\n'))['a'] ?? '';
  const [, hidden = ''] = page.split('## Part of the above, and not exported');
  expect(hidden).toContain('export type Most = 1;');
  expect(hidden).toContain('type Inner = {');
  expect(reportOn({ a: outer }, inner('export type Most = 2;\n'))['a']).not.toBe(page);
});

test('entries describe what they share once', () => {
  const shared = { shared: 'export interface Shared {\n    a: 1;\n}\n' };
  const again = "export { type Shared } from './shared.ts';\n";
  const pages = reportOn({ a: again, b: `${again}import type { Shared } from './shared.ts';\nexport type B = Shared;\n` }, shared);
  expect(pages['a']).toContain('interface Shared');
  expect(pages['b']).toBe('# b\n\n```ts\nexport type B = Shared;\n```\n\nAlso: Shared (of a).\n');
});

test('an entry that is not there is no empty report', () => {
  expect(() => apiReport({ a: path.join(dist, 'gone.d.ts') }, dist)).toThrow(
    'gone.d.ts is not there, or exports nothing: npm run build:lib',
  );
});
