import { expect, test } from 'vitest';
import { compare } from '../../lib/calibrate/opinions.ts';
import { deferralsOf, recordingOf } from '../../lib/calibrate/recording.ts';
import type { Answer, Decision, Inspected, Inspection, Round } from '../../lib/index.ts';

const encode = (text: string) => new Uint8Array(Buffer.from(text));
const decision = (kind: Decision['kind'], position: number, text: string, probability: number, ends = false): Decision => ({
  kind,
  position,
  token: 1,
  bytes: encode(text),
  probability,
  margin: 1,
  ends,
});
const answerOf = (rounds: Round[], decisions: Decision[], text = rounds.map(({ words, base }) => words + base).join('')) =>
  ({ rounds, decisions, text, stopReason: 'end', stats: { tokens: 10, nudgeRatio: 0.4 } }) as unknown as Answer;

// One round: "Ä ship" is drafted as "Ä", " shi", "p", " is"; the base is asked behind "Ä" and "Ä ship", takes over, and is unsure soon.
const draft = [
  decision('draft', 0, 'Ä', 0.9),
  decision('draft', 2, ' shi', 0.8),
  decision('draft', 6, 'p', 0.7),
  decision('draft', 7, ' is', 0.6),
];
const round: Round = { words: 'Ä ship', base: ' was a', by: 'confident' };
const asked = [
  decision('boundary', 2, ' boat', 0.3),
  decision('boundary', 7, ' was', 0.5),
  decision('run', 11, ' a', 0.95),
  decision('run', 13, ' big', 0.2),
];

test("a boundary takes the aligned model's certainty from the token of the draft that begins there", () => {
  const { judgements, written, rate } = recordingOf(answerOf([round], [...draft, ...asked]));
  expect({ written, rate }).toEqual({ written: 'Ä ship was a', rate: 0.4 });
  expect(judgements.map(({ probability, by, aligned }) => [probability, by, aligned])).toEqual([
    [0.3, 'gamma', { probability: 0.8, agrees: false }],
    [0.5, 'gamma', { probability: 0.6, agrees: false }],
    [0.95, 'gamma', undefined],
    [0.2, 'gamma', undefined],
  ]);
});

test.each([
  // How many of three judgements defer with γ 0, 0.4 and 1.
  ['agree', 'agree', [1, 2, 2]],
  ['base-end', 'end', [2, 3, 3]],
  ['confident', 'gamma', [1, 2, 3]],
  ['none', 'gamma', [1, 2, 3]],
] as const)('the last boundary of a round that ended with %s is decided by: %s', (by, decided, deferring) => {
  const recording = recordingOf(answerOf([{ ...round, by }], [...draft, ...asked.slice(0, 2), decision('run', 11, '', 0.9, true)]));
  expect(recording.judgements.map((each) => each.by)).toEqual(['gamma', decided, 'end']);
  const deferrals = deferralsOf(recording);
  expect([0, 0.4, 1].map((gamma) => Math.round(deferrals.share(gamma) * 3))).toEqual(deferring);
});

test('where the budget cut the draft, what decided at the last boundary is not known', () => {
  const { judgements } = recordingOf(answerOf([{ ...round, by: 'limit' }], [...draft, ...asked.slice(0, 2)]));
  expect(judgements.map(({ position }) => position)).toEqual([2]);
});

test('each round has its own draft', () => {
  const second = [decision('draft', 13, ' in', 0.4), decision('draft', 16, ' sight', 0.45), decision('boundary', 16, ' view', 0.1)];
  const { judgements } = recordingOf(answerOf([round, { words: ' in', base: '', by: 'none' }], [...draft, ...asked, ...second]));
  expect(judgements.at(-1)).toMatchObject({ position: 16, by: 'gamma', aligned: { probability: 0.45 } });
});

test('in runs the aligned model is asked, after the very text, and both may have tokens of other lengths', async () => {
  const inspections: Inspection[] = [];
  const says: Record<string, Partial<Inspected>> = {
    'Ä ship was': { bytes: encode(' a big'), probability: 0.35 },
    'Ä ship was a': { bytes: encode(' bib'), probability: 0.75 },
  };
  const inspect = async (inspection: Inspection) => {
    inspections.push(inspection);
    return { ends: false, ...says[inspection.text ?? ''] } as Inspected;
  };
  const compared = await compare({ inspect }, 'What was it?', recordingOf(answerOf([round], [...draft, ...asked])), Math.random);
  expect(inspections.map(({ lane, input }) => [lane, input])).toEqual([1, 2].map(() => ['aligned', 'What was it?']));
  const run = compared.filter(({ position }) => position > 7).sort((one, other) => one.position - other.position);
  expect(run.map(({ aligned, weight }) => ({ ...aligned, weight }))).toEqual([
    { probability: 0.35, agrees: true, weight: 1 },
    { probability: 0.75, agrees: false, weight: 1 },
  ]);
  expect(compared).toHaveLength(4);
});

test('of many judgements some are asked, and these stand for the others', async () => {
  const run = Array.from({ length: 40 }, (_, index) => decision('run', 7 + index, '.', index % 2 === 0 ? 0.9 : 0.5));
  const recording = recordingOf(answerOf([{ ...round, base: '.'.repeat(60) }], [...draft, ...asked.slice(0, 2), ...run]));
  const inspect = async () => ({ ends: true, bytes: encode(''), probability: 0.5 }) as Inspected;
  const compared = (await compare({ inspect }, 'x', recording, Math.random)).filter(({ aligned }) => aligned.probability === 0.5);
  const weights = (probability: number) => compared.filter((each) => each.probability === probability).map(({ weight }) => weight);
  expect([weights(0.5), weights(0.9)]).toEqual([Array(8).fill(2.5), Array(4).fill(5)]);
  // The end of an answer is no text that goes on alike.
  expect(compared.some(({ aligned }) => aligned.agrees)).toBe(false);
});
