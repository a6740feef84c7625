import type { Answer, Decision, Round, StopReason } from '../types.ts';
import { Deferrals } from './deferrals.ts';

/** What the aligned model says in a place where the base was asked. */
export interface Opinion {
  /** Its top-1 probability, in [0, 1]. */
  probability: number;
  /** Whether it goes on as the base does. */
  agrees: boolean;
}

/** One judgement of the base in a recorded run. */
export interface Judgement {
  /** The base's top-1 probability, in [0, 1]. */
  probability: number;
  bytes: Uint8Array;
  /** Bytes (UTF-8) of the answer in front of it. */
  position: number;
  /** What decides whether the base defers: γ (R7c, R9), that it agrees (R7b), or that it would end (R7a, R10). */
  by: 'gamma' | 'agree' | 'end';
  /** Missing where it is not known from the draft: in runs, and where a draft's token reaches over the boundary. */
  aligned?: Opinion;
}

/** What a run with a full trace showed. */
export interface Recording {
  /** All that both models wrote, thinking included. */
  written: string;
  /** What a user sees. */
  text: string;
  stopReason: StopReason;
  tokens: number;
  /** Nudged tokens ÷ tokens. */
  rate: number;
  judgements: Judgement[];
}

/** @param answer of a run in mode `nudge` with `trace: 'full'` */
export function recordingOf({ rounds, decisions = [], text, stopReason, stats }: Answer): Recording {
  return {
    written: rounds.map(({ words, base }) => words + base).join(''),
    text,
    stopReason,
    tokens: stats.tokens,
    rate: stats.nudgeRatio,
    judgements: [...byRound(decisions)].flatMap((taken, index) => judgementsOf(taken, rounds[index])),
  };
}

interface Taken {
  draft: Decision[];
  boundaries: Decision[];
  run: Decision[];
}

/** Each round begins with a draft. */
function* byRound(decisions: readonly Decision[]): Generator<Taken> {
  let taken: Taken = { draft: [], boundaries: [], run: [] };
  let before: Decision['kind'] = 'draft';
  for (const decision of decisions) {
    if (decision.kind === 'draft' && before !== 'draft') {
      yield taken;
      taken = { draft: [], boundaries: [], run: [] };
    }
    before = decision.kind;
    (decision.kind === 'draft' ? taken.draft : decision.kind === 'boundary' ? taken.boundaries : taken.run).push(decision);
  }
  if (taken.draft.length > 0) yield taken;
}

function judgementsOf({ draft, boundaries, run }: Taken, round: Round | undefined): Judgement[] {
  const found: Judgement[] = [];
  for (const [index, { probability, bytes, position }] of boundaries.entries()) {
    const last = index === boundaries.length - 1;
    const by = last ? decidedBy(round) : 'gamma';
    if (by === undefined) continue;
    const said = draft.find((drafted) => drafted.position === position && drafted.bytes.length > 0);
    const aligned = said && { aligned: { probability: said.probability, agrees: by === 'agree' } };
    found.push({ probability, bytes, position, by, ...aligned });
  }
  for (const { probability, bytes, position, ends } of run) {
    found.push({ probability, bytes, position, by: ends || bytes.length === 0 ? 'end' : 'gamma' });
  }
  return found;
}

/** What decided at the last boundary of a round. Where the budget cut the draft, the trace does not tell. */
function decidedBy(round: Round | undefined): Judgement['by'] | undefined {
  switch (round?.by) {
    case 'agree':
      return 'agree';
    case 'base-end':
      return 'end';
    case 'confident':
    case 'none':
      return 'gamma';
    default:
      return undefined;
  }
}

/** How often the base defers in a recorded run, by γ. */
export function deferralsOf({ judgements }: Recording): Deferrals {
  const count = (by: Judgement['by']) => judgements.filter((each) => each.by === by).length;
  return new Deferrals(
    judgements.filter(({ by }) => by === 'gamma').map(({ probability }) => probability),
    count('end'),
    count('agree'),
  );
}
