import type { Answer, Decision, Mode, Piece, Round, StopReason } from '../types.ts';

/** What the base said at a place: its token there, and how sure it was. */
export interface BaseSays {
  /** The token's text; empty for its end of text and for control tokens. Bytes that are no whole character are U+FFFD. */
  text: string;
  /** Whether the token ends a generation. */
  ends: boolean;
  /** Top-1 probability, in [0, 1]. */
  probability: number;
  /** Logit of the token minus the next best, at least 0; missing where the answer has no decisions. */
  margin?: number;
  /** What other rules than the paper's measure: see {@link Decision}. */
  runnerUp?: number;
  entropy?: number;
  words?: { base: number; aligned: number };
}

/** The rule by which the base defers, with its parameters. */
export type RuleOfAnswer = { name: string } & Readonly<Record<string, number | string>>;

/**
 * Why a word is whose it is. Of the aligned model's: `first`: it begins the answer, and the base is not asked there (R1). `unsure`: the
 * base was not sure enough (R7c, R9). `base-end`: the base would have ended, or shown nothing (R7a, R10). `draft-end`: the words in front
 * of the aligned model's end of text, about which the base is not asked (R3). `unasked`: the base was not asked there for another reason.
 * Of the base's: `agree` and `confident`: it took over here (R7b, R7c). `run`: it went on, being sure (R9). `alone`: one model wrote all.
 */
export type WordReason = 'first' | 'unsure' | 'base-end' | 'draft-end' | 'unasked' | 'agree' | 'confident' | 'run' | 'alone';

/** What one decision put there: a token of the base's, or a word of the aligned model's with the space in front. */
export interface ExplainedWord {
  text: string;
  source: Piece['source'];
  /** It belongs to the thinking part. */
  thinking?: true;
  /** Its round: an index of {@link Explanation.rounds}. */
  round: number;
  /** Where it begins, in bytes (UTF-8) of what was written. */
  position: number;
  reason: WordReason;
  /** What the base said where the word begins: the token itself, or what it would have said instead. Missing where it was not asked. */
  base?: BaseSays;
}

/** How a run of the base's broke off. */
export interface RunEnd {
  /** `unsure`: below γ. `base-end`: it would have ended, or shown nothing. `cut`: something else ended it, such as `maxTokens`. */
  by: 'unsure' | 'base-end' | 'cut';
  /** What it would have said; missing for `cut`. */
  base?: BaseSays;
}

export interface ExplainedRound extends Round {
  /** What the base said at the boundaries of the draft, in order; the last one ended the asking if it took over. */
  asked: BaseSays[];
  /** Missing if the base did not take over. */
  run?: RunEnd;
}

/** One answer, explained: who wrote which words, and why. Data only. */
export interface Explanation {
  /** The last message of the user's; missing for raw prompts, and where it is not known. */
  question?: string;
  mode: Mode;
  /** The threshold; missing where it is not known, and where another rule than the paper's decided. */
  gamma?: number;
  /** Another rule than the paper's, by which the base deferred. */
  rule?: RuleOfAnswer;
  stopReason: StopReason;
  /** In order. Concatenated, those that are not thinking are the answer's text. */
  words: ExplainedWord[];
  rounds: ExplainedRound[];
  tokens: number;
  nudgedTokens: number;
  /** nudgedTokens ÷ tokens. */
  nudgeRatio: number;
  /** Tokens a second; 0 where it is not known. */
  speed: number;
}

/** What of an answer is needed to explain it. `decisions` are those of `trace: 'full'`; without them only sources are known. */
export interface Explainable extends Pick<Answer, 'pieces' | 'rounds' | 'stopReason' | 'decisions'> {
  stats?: { tokens: number; nudgedTokens: number; times?: { total: number } };
  /** What the decisions were made by, if the answer says it. */
  decidedBy?: { gamma: number; rule?: RuleOfAnswer };
}

/** What an answer itself does not say. */
export interface Asked {
  question?: string | undefined;
  gamma?: number | undefined;
  rule?: RuleOfAnswer | undefined;
  mode?: Mode | undefined;
}

/** Explains an answer. A pure function: the same answer gives the same explanation. */
export function explanationOf(answer: Explainable, { question, mode = 'nudge', ...asked }: Asked = {}): Explanation {
  const given = { gamma: asked.gamma ?? answer.decidedBy?.gamma, rule: asked.rule ?? answer.decidedBy?.rule };
  const rule = given.rule?.name === 'top1' ? undefined : given.rule;
  // Where one model writes, or several at once, nobody defers.
  const gamma = rule || !(mode === 'nudge' || mode === 'reverse') ? undefined : given.gamma;
  const written = answer.rounds.map(({ words, base }) => words + base).join('');
  const said = saidIn(answer, mode);
  const words = place(answer.pieces, written).map(({ piece, position }, index): ExplainedWord => {
    const round = roundAt(said.rounds, position);
    const base = saysAt(piece, said.at.get(position));
    return {
      text: piece.text,
      source: piece.source,
      ...(piece.thinking ? { thinking: true as const } : {}),
      round,
      position,
      reason: mode === 'nudge' ? reasonOf(piece, index, position, base, said.rounds[round]) : 'alone',
      ...(base ? { base } : {}),
    };
  });
  const { tokens = 0, nudgedTokens = 0, times } = answer.stats ?? {};
  return {
    ...(question === undefined ? {} : { question }),
    mode,
    ...(gamma === undefined ? {} : { gamma }),
    ...(rule ? { rule } : {}),
    stopReason: answer.stopReason,
    words,
    rounds: answer.rounds.map((round, index) => ({
      words: round.words,
      base: round.base,
      by: round.by,
      asked: said.rounds[index]?.asked ?? [],
      ...(said.rounds[index]?.run ? { run: said.rounds[index]?.run } : {}),
    })),
    tokens,
    nudgedTokens,
    nudgeRatio: tokens === 0 ? 0 : nudgedTokens / tokens,
    speed: times && times.total > 0 ? tokens / (times.total / 1000) : 0,
  };
}

/** A round with its place in what was written, in bytes. */
interface PlacedRound {
  by: Round['by'];
  start: number;
  /** Where the base's run begins. */
  handover: number;
  end: number;
  asked: BaseSays[];
  run?: RunEnd;
}

const encoder = new TextEncoder();
const bytesOf = (text: string) => encoder.encode(text).length;

/** Sorts the decisions by round, and by the place where the base was asked: there, the last thing that it said counts. */
function saidIn({ rounds, decisions = [], stopReason }: Explainable, mode: Mode): { at: Map<number, BaseSays>; rounds: PlacedRound[] } {
  const at = new Map<number, BaseSays>();
  let index = 0;
  let start = 0;
  /** The decisions of one kind that come next. */
  const next = (kind: Decision['kind']): Decision[] => {
    const from = index;
    while (decisions[index]?.kind === kind) index += 1;
    return decisions.slice(from, index);
  };
  const placed = rounds.map((round, place): PlacedRound => {
    // A lead is a round of its own, in which the base is not asked.
    const led = round.by === 'lead';
    next(led ? 'lead' : 'draft');
    const asked = led ? [] : next('boundary');
    const ran = led ? [] : next('run');
    const handover = start + bytesOf(round.words);
    const end = handover + bytesOf(round.base);
    for (const decision of [...asked, ...ran]) at.set(decision.position, saysOf(decision));
    // A cut may have left nothing of a run, or of several.
    const stopped = round.base === '' || ((stopReason === 'stop' || stopReason === 'refused') && place === rounds.length - 1);
    const run = mode === 'nudge' && tookOver(round) ? runEnd(stopped ? undefined : ran.at(-1), end) : undefined;
    const placed = { by: round.by, start, handover, end, asked: asked.map(saysOf), ...(run ? { run } : {}) };
    start = end;
    return placed;
  });
  return { at, rounds: placed };
}

function tookOver({ base, by }: Round): boolean {
  return base !== '' || by === 'agree' || by === 'confident';
}

/** The last question of a run stands behind its last word, unless something cut the run before it could be asked. */
function runEnd(last: Decision | undefined, end: number): RunEnd {
  if (!last || last.position < end) return { by: 'cut' };
  const says = saysOf(last);
  return { by: isSilent(says) ? 'base-end' : 'unsure', base: says };
}

function isSilent({ ends, text }: BaseSays): boolean {
  return ends || text === '';
}

function saysOf(decision: Decision): BaseSays {
  const { bytes, ends, probability, margin } = decision;
  const { runnerUp, entropy, words } = decision as Partial<Pick<BaseSays, 'runnerUp' | 'entropy' | 'words'>>;
  return {
    text: ends ? '' : new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes),
    ends,
    probability,
    margin,
    ...(runnerUp === undefined ? {} : { runnerUp }),
    ...(entropy === undefined ? {} : { entropy }),
    ...(words === undefined ? {} : { words }),
  };
}

/** What the base said where a piece begins. Its own pieces tell that without decisions too, and their text may be several tokens'. */
function saysAt({ text, source, topProbability }: Piece, said: BaseSays | undefined): BaseSays | undefined {
  if (source === 'nudge') return said;
  if (said) return { ...said, text };
  return topProbability === undefined ? undefined : { text, ends: false, probability: topProbability };
}

/** Where each piece begins. Between thinking and answer stand marks and white space that are in no piece. */
function place(pieces: readonly Piece[], written: string): { piece: Piece; position: number }[] {
  let at = 0;
  let position = 0;
  return pieces.map((piece) => {
    const found = Math.max(at, written.indexOf(piece.text, at));
    position += bytesOf(written.slice(at, found));
    const begins = position;
    at = found + piece.text.length;
    position += bytesOf(piece.text);
    return { piece, position: begins };
  });
}

/** The round that wrote what stands at this place. */
function roundAt(rounds: readonly PlacedRound[], position: number): number {
  const found = rounds.findIndex(({ end }) => position < end);
  return found === -1 ? Math.max(0, rounds.length - 1) : found;
}

function reasonOf(
  { source }: Piece,
  index: number,
  position: number,
  base: BaseSays | undefined,
  round: PlacedRound | undefined,
): WordReason {
  if (source === 'base') {
    if (round && position === round.handover && (round.by === 'agree' || round.by === 'confident')) return round.by;
    return 'run';
  }
  if (base) return isSilent(base) ? 'base-end' : 'unsure';
  if (index === 0) return 'first';
  return round?.by === 'end' ? 'draft-end' : 'unasked';
}
