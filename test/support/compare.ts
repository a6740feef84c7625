import type { Answer, GenerateOptions, Input, Inspected, Nudging } from '../../lib/index.ts';
import { reference, type ReferenceAnswer, type RuleOptions } from './reference.ts';
import { referenceInReverse } from './reverse.ts';
import { replay, tie, toleranceOf, type Choosing } from './replay.ts';

export interface Comparison {
  /** `ties`, where the engine is not deterministic: the answers differ, and every decision of the engine is the models' own or a tie. */
  result: 'exact' | 'ties' | 'mismatch';
  answer: Answer;
  /** Times the base took over. */
  handOvers: number;
  /** Of a mismatch. */
  reasons: string[];
}

/** Compares one answer with the stateless reference's, and decision by decision where it differs. */
export async function compare(
  engine: Nudging,
  input: Input,
  options: RuleOptions & Pick<GenerateOptions, 'mode' | 'speculation' | 'stop'> & Choosing,
  tolerance = toleranceOf(engine),
): Promise<Comparison> {
  const answer = await engine.generate(input, { ...options, trace: 'full' });
  const slow = await (options.mode === 'reverse' ? referenceInReverse : reference)(engine, input, options);
  const handOvers = answer.rounds.filter(({ by }) => by === 'agree' || by === 'confident').length;
  const shown = ({ text, rounds, stopReason, endedBy }: Omit<ReferenceAnswer, 'used'>, used: number) =>
    JSON.stringify({ text, rounds, stopReason, endedBy, used });
  const got = shown(answer, answer.stats.tokens);
  const expected = shown(slow, slow.used);
  if (got === expected) return { result: 'exact', answer, handOvers, reasons: [] };
  // One tie changes everything after it: the run's own decisions are judged instead. The two must part in a round that has a tie; which of
  // them it turned does not matter, since the reference's questions have batch shapes of their own where several are asked at once.
  const { closeRounds, wrong } = await replay(engine, input, answer, options, tolerance);
  const parting = slow.rounds.findIndex((round, index) => JSON.stringify(round) !== JSON.stringify(answer.rounds[index]));
  if (wrong.length === 0 && closeRounds.has(parting < 0 ? slow.rounds.length : parting))
    return { result: 'ties', answer, handOvers, reasons: [] };
  return { result: 'mismatch', answer, handOvers, reasons: [...wrong, `engine    ${got}`, `reference ${expected}`] };
}

const sentence = ' one two  three\n\nfour 五 🙂 six';

/**
 * How far the shape of a batch moves what a model says: the same contexts, decoded by engines that differ in their batch size alone. Each
 * prompt is continued by little and by much: ggml's attention on a CPU takes another way for 64 tokens and more at a time, and that is most
 * of the noise.
 */
export async function batchNoise(engines: readonly Nudging[], inputs: readonly Input[]): Promise<typeof tie> {
  const noise = { probability: 0, margin: 0 };
  for (const lane of ['base', 'aligned'] as const) {
    for (const input of inputs) {
      for (const text of [sentence, sentence.repeat(5)]) {
        const said: Inspected[] = [];
        for (const engine of engines) said.push(await engine.inspect({ lane, input, text }));
        for (const each of said.slice(1)) {
          const first = said[0] as Inspected;
          noise.probability = Math.max(noise.probability, Math.abs(each.probability - first.probability));
          noise.margin = Math.max(noise.margin, Math.abs(each.margin - first.margin));
        }
      }
    }
  }
  return noise;
}

/** The larger of the two, for an engine that is not deterministic. */
export function toleranceFor(engine: Nudging, noise: typeof tie): typeof tie {
  if (engine.deterministic) return toleranceOf(engine);
  return { probability: Math.max(tie.probability, noise.probability), margin: Math.max(tie.margin, noise.margin) };
}
