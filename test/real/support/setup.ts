import { readFileSync } from 'node:fs';
import { Nudging, type LaneName, type LoadOptions } from '../../../lib/index.ts';

/** What scripts/test-real.mjs has found out and was asked for. */
export interface Setup {
  models: Record<LaneName, string>;
  /** The same weights as 32-bit floats. */
  exact: Record<LaneName, string>;
  quick: boolean;
  maxTokens: number;
  cpuBuffers?: LoadOptions['cpuBuffers'];
}

const given = process.env['NUDGING_REAL'];
if (given === undefined) throw new Error('these tests need weights: run them with `npm run test:real`');
export const setup = JSON.parse(given) as Setup;

/** An engine that promises the same bits whatever else it does. */
export function load(options: LoadOptions = {}): Promise<Nudging> {
  const { models, cpuBuffers } = setup;
  return Nudging.load({
    ...models,
    deterministic: true,
    context: 1024,
    parallel: 1,
    threads: 1,
    ...(cpuBuffers === undefined ? {} : { cpuBuffers }),
    ...options,
  });
}

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');

export const questions = (JSON.parse(fixture('questions.json')) as string[]).slice(0, setup.quick ? 4 : undefined);
export const prose = fixture('prose.txt')
  .replace(/(?<!\n)\n(?!\n)/g, ' ')
  .trim();
export const tokens = JSON.parse(fixture('tokens.json')) as {
  texts: ({ text: string } & Record<LaneName, number[]>)[];
  chat: { question: string; aligned: number[] };
};
