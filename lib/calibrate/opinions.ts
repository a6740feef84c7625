import type { Nudging } from '../engine.ts';
import type { Input } from '../types.ts';
import { sample } from './random.ts';
import type { Judgement, Opinion, Recording } from './recording.ts';

/** A judgement of which both models' opinions are known. It stands for `weight` judgements of its answer. */
export interface Compared extends Judgement {
  aligned: Opinion;
  weight: number;
}

/**
 * Of each answer's judgements that the draft does not tell, how many are asked: those where the base is unsure, which may be nudged, and
 * the others apart, because there are many of them and one is like the other.
 */
const strata = [
  { isIn: ({ probability }: Judgement) => probability < 0.75, asked: 8 },
  { isIn: ({ probability }: Judgement) => probability >= 0.75, asked: 4 },
] as const;

/** Most questions that {@link compare} asks about one answer. */
export const questionsPerAnswer = strata.reduce((sum, { asked }) => sum + asked, 0);

/**
 * What both models say at the judgements of one answer. At boundaries the draft tells; elsewhere the aligned model is asked about a random
 * choice of them, from nothing each time, which costs it the prompt and the answer so far. Where the base would end there is no text to
 * compare.
 */
export async function compare(
  nudging: Pick<Nudging, 'inspect'>,
  input: Input,
  { judgements, written }: Recording,
  random: () => number,
): Promise<Compared[]> {
  const bytes = new TextEncoder().encode(written);
  const visible = judgements.filter(({ by, position }) => by !== 'end' && position <= bytes.length);
  const compared: Compared[] = visible.flatMap((each) => (each.aligned ? [{ ...each, aligned: each.aligned, weight: 1 }] : []));
  for (const { isIn, asked } of strata) {
    const unknown = visible.filter((each) => !each.aligned && isIn(each));
    for (const judgement of sample(unknown, asked, random)) {
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, judgement.position));
      const said = await nudging.inspect({ lane: 'aligned', input, text });
      const aligned = { probability: said.probability, agrees: !said.ends && goOnAlike(said.bytes, judgement.bytes) };
      compared.push({ ...judgement, aligned, weight: unknown.length / Math.min(asked, unknown.length) });
    }
  }
  return compared;
}

/** Whether one of two texts begins with the other: tokens of two vocabularies are seldom of equal length. */
function goOnAlike(one: Uint8Array, other: Uint8Array): boolean {
  const length = Math.min(one.length, other.length);
  return length > 0 && one.subarray(0, length).every((byte, index) => byte === other[index]);
}
