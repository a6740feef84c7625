import type {
  Answer,
  Decision,
  GenerateOptions,
  Input,
  Inspected,
  LaneName,
  LogitOptions,
  Nudging,
  SamplingOptions,
} from '../../lib/index.ts';
import { questionsInReverse } from './reverse.ts';

/**
 * Without `deterministic`, a decision closer to its threshold than this may go otherwise when the batch shape changes: for 16-bit weights.
 */
export const tie = { probability: 0.01, margin: 0.05 };
const exact: typeof tie = { probability: 0, margin: 0 };

/** What a deterministic engine says is the same to the bit. */
export const toleranceOf = ({ deterministic }: Nudging) => (deterministic ? exact : tie);

/** How tokens are chosen. */
export type Choosing = SamplingOptions & LogitOptions;

export interface Replay {
  decisions: number;
  ties: number;
  /** Rounds with a decision so close to its threshold that another batch shape could have turned it, whether or not this replay did. */
  closeRounds: Set<number>;
  /** Decisions that the models, asked afresh, do not confirm. */
  wrong: string[];
}

/**
 * Asks both models, from nothing, about every decision that a run took (`trace: 'full'`). Each must be the same, to the bit if the engine
 * is deterministic. Else it may be a tie: the top-1 token may differ where the two best logits are closer than `tolerance.margin`, and the
 * side of γ where the probability is within `tolerance.probability`.
 *
 * A sampled run is asked with its own seed: what its tokens were drawn from has no state either.
 */
export async function replay(
  engine: Nudging,
  input: Input,
  answer: Answer,
  options: GenerateOptions = {},
  tolerance = toleranceOf(engine),
): Promise<Replay> {
  const sampling = samplingOf({ ...options, ...(answer.seed === undefined ? {} : { seed: answer.seed }) });
  const result: Replay = { decisions: 0, ties: 0, closeRounds: new Set(), wrong: [] };
  for (const question of options.mode === 'reverse' ? questionsInReverse(answer) : questions(answer)) {
    const { decision, lane, text, tokens, round } = question;
    const { gamma = options.gamma ?? 0.4 } = decision;
    const fresh: Inspected = await engine.inspect({ lane, input, text, tokens, sampling });
    result.decisions += 1;
    const where = `${decision.kind} after ${JSON.stringify(text.slice(-40))} + ${tokens.length} tokens`;
    const otherToken = fresh.token !== decision.token;
    if (otherToken && Math.min(fresh.margin, decision.margin) >= tolerance.margin)
      result.wrong.push(`${where}: token ${decision.token}, afresh ${fresh.token} (margin ${fresh.margin})`);
    const isDrafted = decision.kind === 'draft' || decision.kind === 'lead';
    const otherSide = !isDrafted && fresh.probability >= gamma !== decision.probability >= gamma;
    if (Math.abs(fresh.probability - decision.probability) > tolerance.probability && !otherToken)
      result.wrong.push(`${where}: p ${decision.probability}, afresh ${fresh.probability}`);
    const otherMargin = tolerance === exact && fresh.margin !== decision.margin;
    if (otherMargin && !otherToken) result.wrong.push(`${where}: margin ${decision.margin}, afresh ${fresh.margin}`);
    if (otherToken || otherSide) result.ties += 1;
    const close = fresh.margin < tolerance.margin || (!isDrafted && Math.abs(fresh.probability - gamma) < tolerance.probability);
    if (close || otherToken || otherSide) result.closeRounds.add(round);
  }
  return result;
}

/** The settings that decide how tokens are chosen. */
export function samplingOf(options: Choosing): Choosing {
  const { temperature = 0, topK = 0, topP = 1, minP = 0, seed = 0, logitBias, repeatPenalty = 1, repeatWindow = 64 } = options;
  return { temperature, topK, topP, minP, seed, repeatPenalty, repeatWindow, ...(logitBias === undefined ? {} : { logitBias }) };
}

/** A decision of a run, and what was asked: which model, after which text, after which of its own tokens. */
export interface Question {
  decision: Decision;
  lane: LaneName;
  text: string;
  tokens: number[];
  round: number;
}

/** The questions of a run, in order: which model, after which text, after which of its own tokens. */
export function* questions(answer: Answer): Generator<Question> {
  const decisions = answer.decisions ?? [];
  let at = 0;
  let index = 0;
  let out = '';
  const isNext = (kind: Decision['kind']) => decisions[at]?.kind === kind;
  while (at < decisions.length) {
    const round = answer.rounds[index++];
    const drafted: number[] = [];
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    let draft = '';
    const kind = isNext('lead') ? 'lead' : 'draft';
    while (isNext(kind)) {
      const decision = decisions[at++] as Decision;
      yield { decision, lane: 'aligned', text: out, tokens: [...drafted], round: index - 1 };
      // What is drafted behind an end belongs to the next round.
      if (decision.ends) break;
      drafted.push(decision.token);
      draft += decoder.decode(decision.bytes, { stream: true });
    }
    const bytes = new TextEncoder().encode(out + draft);
    let last: Decision | undefined;
    while (isNext('boundary')) {
      last = decisions[at++] as Decision;
      yield {
        decision: last,
        lane: 'base',
        text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.slice(0, last.position)),
        tokens: [],
        round: index - 1,
      };
    }
    const start = out + (round?.words ?? '');
    const run = last ? [last.token] : [];
    while (isNext('run')) {
      const decision = decisions[at++] as Decision;
      yield { decision, lane: 'base', text: start, tokens: [...run], round: index - 1 };
      run.push(decision.token);
    }
    out = start + (round?.base ?? '');
  }
}
