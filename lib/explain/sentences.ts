import type { Mode, StopReason } from '../types.ts';
import type { BaseSays, ExplainedRound, ExplainedWord, Explanation } from './explanation.ts';

/** What the renderers say, in one place. All of it is plain text. */

export const p = (probability: number) => `p ${probability.toFixed(2)}`;

/** A text with its spaces and new lines in sight. */
export function quoted(text: string): string {
  return JSON.stringify(text);
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

/** Who writes in modes other than nudging, briefly and as a sentence. */
const writers: Partial<Record<Mode, string>> = {
  base: 'base model alone',
  aligned: 'aligned model alone',
  'in-context': 'base model alone, with examples',
  reverse: 'nudged in reverse',
  ensemble: 'all models together',
  'proxy-tuning': 'all models together',
};
const byMode: Partial<Record<Mode, string>> = {
  base: 'Only the base model was asked.',
  aligned: 'Only the aligned model was asked.',
  'in-context': 'Only the base model was asked.',
  reverse: 'The aligned model leads here, and the base writes words of which it is not sure.',
  ensemble: 'All models chose it together.',
  'proxy-tuning': 'All models chose it together.',
};

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
      return byMode[explanation.mode] ?? '';
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
};

/** The answer in figures, on one line. */
export function summary({ mode, gamma, rule, tokens, nudgeRatio, rounds, stopReason }: Explanation): string {
  const nudges = rounds.filter(({ words }) => words !== '').length;
  const parts = [
    mode === 'nudge' ? ruleText(rule, gamma) : (writers[mode] ?? mode),
    tokens > 0 ? `${tokens} token${tokens === 1 ? '' : 's'}` : '',
    mode === 'nudge' && tokens > 0 ? `${Math.round(nudgeRatio * 100)} % nudged in ${nudges} round${nudges === 1 ? '' : 's'}` : '',
    endings[stopReason] ?? stopReason,
  ];
  return parts.filter(Boolean).join(', ');
}

function ruleText(rule: Explanation['rule'], gamma: number | undefined): string {
  if (!rule) return gamma === undefined ? '' : `γ ${gamma}`;
  const { name, ...parameters } = rule;
  const own = Object.entries(parameters).map(([key, value]) => `${key} ${value}`);
  return own.length === 0 ? `rule ${name}` : `rule ${name} (${own.join(', ')})`;
}
