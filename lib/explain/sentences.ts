import type { Mode, StopReason } from '../types.ts';
import type { BaseSays, ExplainedRound, ExplainedWord, Explanation } from './explanation.ts';

/** What the renderers say, in one place. All of it is plain text. */

export const p = (probability: number) => `p ${probability.toFixed(2)}`;

/** A text with its spaces and new lines in sight. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Who wrote, by mode, as a sentence without its end. */
const writers: Record<Mode, string> = {
  nudge: 'Both models wrote',
  reverse: 'The aligned model wrote, and the base the words that it was unsure of',
  base: 'The base wrote alone',
  aligned: 'The aligned model wrote alone',
  'in-context': 'The base wrote alone, shown examples of answers',
  ensemble: 'Both models chose each token together',
  'proxy-tuning': 'Several models chose each token together',
};

/** The same in the middle of a line. */
export function writer(mode: Mode): string {
  if (mode === 'base' || mode === 'aligned') return `${mode} model alone`;
  return writers[mode].charAt(0).toLowerCase() + writers[mode].slice(1);
}

/** Whose words are marked: those of the aligned model, where two models wrote. */
export function hasMarks(mode: Mode): boolean {
  return mode === 'nudge' || mode === 'reverse';
}

/** What the probabilities say that an answer's words have. */
export function meaningOf({ mode, gamma }: Explanation): string {
  switch (mode) {
    case 'nudge':
      return `how sure the base was there, in tenths of its probability${gamma === undefined ? '' : `; below γ ${gamma} the base defers`}`;
    case 'reverse':
      return 'how sure the model was whose word it is, in tenths of its probability';
    case 'ensemble':
    case 'proxy-tuning':
      return 'how probable the likeliest token was to all models together, in tenths';
    default:
      return `how sure ${mode === 'aligned' ? 'the aligned model' : 'the base'} was there, in tenths of its probability`;
  }
}

/** What the base said, or would have said. */
export function saying(base: BaseSays): string {
  return base.ends ? 'its end of text' : base.text === '' ? 'a token without text' : quoted(base.text);
}

/** How sure the base was, measured as the rule measures it: `p 0.12 is below γ 0.4`. */
export function judged(base: BaseSays, sure: boolean, { gamma, rule }: Explanation): string {
  const { probability, runnerUp, entropy, words } = base;
  if (words) {
    const compared = `its word has ${p(words.base)}, and the aligned model's ${p(words.aligned)}`;
    return `${compared}${rule?.['lambda'] === undefined ? '' : `, ${sure ? 'not more' : 'more'} than ${rule['lambda']} above it`}`;
  }
  if (rule?.name === 'margin' && runnerUp !== undefined)
    return `its two best tokens are ${(probability - runnerUp).toFixed(2)} apart, and ${rule['margin']} is asked for`;
  if (rule?.name === 'entropy' && entropy !== undefined) return `the entropy is ${entropy.toFixed(2)}, and ${rule['entropy']} is the limit`;
  if (rule?.name === 'hybrid') return `${p(probability)} is ${sure ? `at least ${rule['high']}` : `below ${rule['low']}`}`;
  if (rule) return `${p(probability)}, by the rule ${rule.name}`;
  return `${p(probability)} is ${sure ? 'at least' : 'below'} ${gamma === undefined ? 'γ' : `γ ${gamma}`}`;
}

/** Why a word is whose it is. */
export function whyWord({ reason, base }: ExplainedWord, explanation: Explanation): string {
  const sure = base ? p(base.probability) : 'it';
  const found = (yes: boolean) => (base ? `: ${judged(base, yes, explanation)}` : '');
  switch (reason) {
    case 'first':
      return "The first word is the aligned model's: the base is not asked there.";
    case 'unsure':
      return `The base was not sure enough${found(false)}.`;
    case 'base-end':
      return `The base would have said nothing more: ${base ? saying(base) : 'its end of text'}.`;
    case 'draft-end':
      return 'The aligned model reached its end of text in this draft, so the base was not asked about it.';
    case 'unasked':
      return 'The base was not asked here.';
    case 'agree':
      return `The base took over: its token is how the aligned model's next word begins (${sure}).`;
    case 'confident':
      return `The base took over, being sure enough${found(true)}.`;
    case 'run':
      return `The base went on, being sure enough${found(true)}.`;
    case 'alone':
      return `${writers[explanation.mode]}.`;
  }
}

const reasons: Record<string, string> = {
  agree: "the base's token was how the next word begins, and it took over",
  confident: 'the base was sure enough and took over',
  'base-end': 'the base would have ended, so the draft was taken up to there',
  none: 'the base was nowhere sure enough, so the draft was taken up to its last word',
  end: 'the aligned model reached its end of text, so its draft was taken whole',
  limit: 'the answer was as long as it may be',
  lead: 'the aligned model leads, and the base is not asked',
};

/** Why the base was asked no further in a round. */
export function whyRound({ by }: ExplainedRound): string {
  return reasons[by] ?? by;
}

/** How the base's run in a round broke off; undefined if it had none. */
export function whyRunEnded({ run }: ExplainedRound, explanation: Explanation): string | undefined {
  if (!run) return undefined;
  if (run.by === 'cut' || !run.base) return 'its run was cut off by the end of the answer';
  if (run.by === 'base-end') return `its run ended: it would have said ${saying(run.base)}`;
  return `its run ended before ${saying(run.base)}: ${judged(run.base, false, explanation)}`;
}

const endings: Record<StopReason, string> = {
  end: 'ended by itself',
  length: 'cut at its longest length',
  stop: 'ended at a stop text',
  context: 'ended where the context was full',
  stalled: 'went in circles',
  aborted: 'was interrupted',
  timeout: 'ran out of time',
  refused: 'was ended by its guard',
};

/** Why an answer goes no further, for the end of a line. */
export function howEnded(reason: StopReason): string {
  return endings[reason] ?? reason;
}

/** The answer in figures, on one line. */
export function summary({ mode, gamma, rule, tokens, nudgeRatio, rounds, stopReason }: Explanation): string {
  const nudges = rounds.filter(({ words }) => words !== '').length;
  const parts = [
    mode === 'nudge' ? ruleText(rule, gamma) : `${writer(mode)}${mode === 'reverse' && gamma !== undefined ? `, γ ${gamma}` : ''}`,
    tokens > 0 ? `${tokens} token${tokens === 1 ? '' : 's'}` : '',
    mode === 'nudge' && tokens > 0 ? `${Math.round(nudgeRatio * 100)} % nudged in ${nudges} round${nudges === 1 ? '' : 's'}` : '',
    howEnded(stopReason),
  ];
  return parts.filter(Boolean).join(', ');
}

function ruleText(rule: Explanation['rule'], gamma: number | undefined): string {
  if (!rule) return gamma === undefined ? '' : `γ ${gamma}`;
  const { name, ...parameters } = rule;
  const own = Object.entries(parameters).map(([key, value]) => `${key} ${value}`);
  return own.length === 0 ? `rule ${name}` : `rule ${name} (${own.join(', ')})`;
}
