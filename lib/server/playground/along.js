/**
 * What another γ would have made of an answer, by what the base said along this very answer. Up to the first word that would be another
 * one's the other answer is the same; behind it, it goes its own way, so that what is said there is an estimate.
 *
 * @typedef {Pick<import('../../explain/explanation.ts').ExplainedWord, 'source' | 'reason' | 'base'>} Word
 */

/** The engine compares in single precision. @param {number} probability @param {number} gamma */
const isSure = (probability, gamma) => probability >= Math.fround(gamma);

/**
 * Whose word it would be. γ is asked for the words of the base's that it was sure enough of, and where it was not; not where the base
 * agreed with the aligned model, wanted to end, or was not asked.
 *
 * @param {Word} word @param {number} gamma @returns {Word['source']}
 */
export function wouldBe({ source, reason, base }, gamma) {
  if (!base) return source;
  const byGamma = reason === 'unsure' || reason === 'confident' || reason === 'run';
  if (!byGamma) return source;
  return isSure(base.probability, gamma) ? 'base' : 'nudge';
}

/**
 * @param {readonly Word[]} words @param {number} gamma
 * @returns {{ nudged: number[], based: number[], first: number | undefined }} indices of the base's words that would be nudged, of nudged
 * words that would be the base's, and of the first of both
 */
export function alongAt(words, gamma) {
  /** @type {number[]} */
  const nudged = [];
  /** @type {number[]} */
  const based = [];
  for (const [index, word] of words.entries()) {
    const would = wouldBe(word, gamma);
    if (would !== word.source) (would === 'nudge' ? nudged : based).push(index);
  }
  const all = [...nudged, ...based];
  return { nudged, based, first: all.length === 0 ? undefined : Math.min(...all) };
}

/** @param {number} count */
const places = (count) => `${count} place${count === 1 ? '' : 's'}`;

/**
 * The same as sentences.
 *
 * @param {readonly (Word & { text: string })[]} words @param {number} gamma @param {number} own the γ that the answer was made with
 */
export function alongText(words, gamma, own) {
  if (gamma === own) return 'Drag the line of γ to see what another threshold would have made of this answer.';
  const { nudged, based, first } = alongAt(words, gamma);
  const at = `Along this answer, at γ ${gamma.toFixed(2)}`;
  if (first === undefined) return `${at}, nothing would be another model's, and the answer would be the same.`;
  const changes = [
    ...(nudged.length > 0 ? [`the aligned model would speak in ${places(nudged.length)} of the base's`] : []),
    ...(based.length > 0 ? [`the base would speak in ${places(based.length)} of the aligned model's`] : []),
  ];
  const from = JSON.stringify(words[first]?.text.trim());
  return `${at}, ${changes.join(', and ')}. An estimate: from ${from} on the answer would go its own way.`;
}
