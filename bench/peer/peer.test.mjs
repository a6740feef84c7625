import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Nudging } from '../../lib/index.ts';
import { replay, tie } from '../../test/support/replay.ts';
import { Lane } from './lane.mjs';
import { nudge } from './nudge.mjs';

const folder = new URL('../../models/demo/', import.meta.url);
const pairFile = fileURLToPath(new URL(process.env['PEER_PAIR'] ?? 'pair.json', folder));
const pair = JSON.parse(readFileSync(pairFile, 'utf8'));
const all = readFileSync(new URL('eval.jsonl', folder), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line).question);
const wanted = Math.min(all.length, Number(process.env['PEER_ROWS'] ?? all.length));
const questions = Array.from({ length: wanted }, (_, i) => all[Math.floor((i * all.length) / wanted)]);
const options = { gamma: pair.gamma, lookahead: pair.lookahead, maxTokens: pair.maxTokens };

/** Whether another batch shape could have decided otherwise. @param {import('../../lib/index.ts').Decision} decision */
const isClose = ({ kind, probability, margin }) =>
  margin < tie.margin || (kind !== 'draft' && Math.abs(probability - options.gamma) < tie.probability);

/** @type {Nudging} */
let engine;
/** @type {Lane} */
let base;
/** @type {Lane} */
let aligned;
beforeAll(async () => {
  engine = await Nudging.load(pairFile);
  base = await Lane.load(fileURLToPath(new URL(pair.base, folder)));
  aligned = await Lane.load(fileURLToPath(new URL(pair.aligned, folder)));
});
afterAll(() => engine.close());

test(`${wanted} answers are the peer's`, { timeout: 3_600_000 }, async () => {
  const counts = { rows: wanted, same: 0, ties: 0, mismatches: 0 };
  const seconds = { engine: 0, peer: 0 };
  const wrong = [];
  for (const question of questions) {
    let start = performance.now();
    const answer = await engine.generate(question, { trace: 'full' });
    seconds.engine += (performance.now() - start) / 1000;

    start = performance.now();
    base.begin(`Question: ${question}\nAnswer:\n`, false);
    aligned.begin(aligned.chat(question), true);
    const text = await nudge(base, aligned, options);
    seconds.peer += (performance.now() - start) / 1000;

    if (text === answer.text) {
      counts.same += 1;
      continue;
    }
    // One decision on the edge changes everything after it: the engine's own decisions are judged instead.
    const judged = await replay(engine, question, answer, options);
    const isTie = judged.wrong.length === 0 && answer.decisions?.some(isClose);
    counts[isTie ? 'ties' : 'mismatches'] += 1;
    if (!isTie) wrong.push({ question, engine: answer.text, peer: text, ...judged });
  }
  const { rows, same, ties, mismatches } = counts;
  const times = `engine ${seconds.engine.toFixed(1)} s, peer ${seconds.peer.toFixed(1)} s`;
  console.log(`${rows} rows: ${same} the same, ${ties} explained by ties, ${mismatches} mismatches; ${times}`);
  expect(wrong).toEqual([]);
  expect(counts.same).toBeGreaterThanOrEqual(0.95 * counts.rows);
});
