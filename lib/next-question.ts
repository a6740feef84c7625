import { defaultBasePrompt, type Question } from './prompts.ts';
import type { BasePrompt, GenerateOptions } from './types.ts';

/** Whether nobody but the base can end the answer, so that it would go on to its next question. */
export const baseEndsAlone = ({ mode, endRule }: Pick<GenerateOptions, 'mode' | 'endRule'>): boolean =>
  mode === 'base' || (mode === 'nudge' && endRule === 'base');

/**
 * Stop strings for a base that answers, or may end its answer, alone: where it would go on to ask itself the next question, because its
 * prompt taught it that pattern. That is a new line with what the template has before `{question}`; the empty line that stands between
 * turns goes with it. Empty where the template does not tell.
 *
 * Of the text before `{question}`, and behind `{system}`, only the last line that is not blank counts: what is above it may not come again.
 * It must hold a letter: answers have lines of their own that begin with "-", "#" or "1.". And it must end where a word does, or an answer
 * that begins a line with a longer word would be cut: behind a letter or digit the white space that follows belongs to it, behind anything
 * else (`Question:`) it does not.
 */
export function nextQuestion(question: Question, prompt: BasePrompt = defaultBasePrompt): string[] {
  if (question.kind === 'raw' || typeof prompt !== 'string') return [];
  const parts = prompt.split('{question}');
  // With several, where a turn begins is anybody's guess.
  if (parts.length !== 2) return [];
  const literal = parts[0]?.split('{system}').at(-1) ?? '';
  const shown = literal.trimEnd();
  const line = shown.slice(shown.lastIndexOf('\n') + 1);
  if (!/\p{L}/u.test(line)) return [];
  const endsInWord = /[\p{L}\p{N}]$/u.test(line);
  const space = literal.slice(shown.length);
  if (endsInWord && space === '') return [];

  const marker = endsInWord ? line + space : line;
  // A template from Windows teaches its line ends too.
  const newlines = prompt.includes('\r\n') ? ['\n', '\r\n'] : ['\n'];
  return newlines.flatMap((newline) => [newline + newline + marker, newline + marker]);
}
