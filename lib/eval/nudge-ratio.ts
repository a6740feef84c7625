/**
 * The paper's share of nudged words in an answer: words of all nudged stretches but the last one, over the words of the answer, both
 * counted by single spaces, at most 1 (dataset_utils.py of fywalter/nudging, `get_num_nudging_words_and_ratio`). The last stretch is left
 * out because the aligned model writes the end; where an answer was cut, a true nudge is left out with it, and an answer of one stretch
 * counts one word. The share of tokens has none of that: see {@link AnswerStats.nudgeRatio}.
 *
 * @param nudges the words of each round, in order, as in the trace
 */
export function wordRatio(answer: string, nudges: readonly string[]): number {
  const words = answer.split(' ').length;
  const stripped = nudges.map((nudge) => nudge.trim()).filter((nudge) => nudge !== '');
  const nudged = stripped.slice(0, -1).join(' ').split(' ').length;
  return nudged > words ? 1 : nudged / words;
}
