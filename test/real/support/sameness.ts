import type { Answer, Decision } from '../../../lib/index.ts';

export interface Sameness {
  answers: number;
  /** Answers of which text, rounds, end and all probabilities are the same to the bit. */
  equal: number;
  /** Decisions that both runs took in the same context, and how many of them are not the same to the bit. */
  decisions: number;
  differing: number;
  /** Of them, in the probability of the top-1 token. */
  largest: number;
}

/** How far answers are from the expected ones; both with `trace: 'full'`. */
export function sameness(expected: readonly Answer[], got: readonly Answer[]): Sameness {
  const result: Sameness = { answers: expected.length, equal: 0, decisions: 0, differing: 0, largest: 0 };
  for (const [index, wanted] of expected.entries()) {
    const answer = got[index] as Answer;
    const before = result.differing;
    count(wanted.decisions ?? [], answer.decisions ?? [], result);
    const shown = ({ text, rounds, stopReason }: Answer) => JSON.stringify([text, rounds, stopReason]);
    result.equal += Number(result.differing === before && shown(wanted) === shown(answer) && (wanted.decisions?.length ?? 0) > 0);
  }
  return result;
}

/** Up to the first that makes the runs part: what comes after it is asked in other contexts. */
function count(expected: readonly Decision[], got: readonly Decision[], into: Sameness): void {
  for (let at = 0; at < Math.max(expected.length, got.length); at += 1) {
    const [wanted, decision] = [expected[at], got[at]];
    into.decisions += 1;
    if (!wanted || !decision || wanted.kind !== decision.kind || wanted.position !== decision.position || wanted.token !== decision.token) {
      into.differing += 1;
      return;
    }
    into.differing += Number(!Object.is(wanted.probability, decision.probability) || !Object.is(wanted.margin, decision.margin));
    into.largest = Math.max(into.largest, Math.abs(wanted.probability - decision.probability));
  }
}

/** What a row must be. */
export const allTheSame = ({ answers }: Sameness) => ({ equal: answers, differing: 0 });
