/** Without the marks of Markdown and TeX that only make a text bold or set it apart. */
export function plain(text: string): string {
  return text.replace(/\*\*|__|[`$*]|\\(?=\()|\\(?=\))/g, '');
}

const markers = /\banswer\b[^\n.:=]{0,60}?(?:(?:\bis\b|\bwould be\b)\s*[:=]?|:|=)|####|\\boxed\{/gi;

/**
 * The line that an answer declares to be its outcome: what follows the last "answer is", "answer:", "####" or "\boxed{", up to the end of
 * that line. Undefined where nothing of the kind is there.
 */
export function finalAnswer(text: string): string | undefined {
  const last = [...text.matchAll(markers)].at(-1);
  if (!last) return undefined;
  const rest = text.slice(last.index + last[0].length).trimStart();
  const line = (rest.split('\n', 1)[0] ?? '').trim();
  return line === '' ? undefined : line;
}

/** The last sentence that holds a letter or digit, without white space around it. */
export function lastSentence(text: string): string {
  const sentences = text.split(/(?<=[.!?])\s+|\n+/).filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
  return (sentences.at(-1) ?? '').trim();
}
