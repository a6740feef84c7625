import type { Answer } from '../types.ts';
import type { Evidence } from './findings.ts';

/** Marks of the chat templates in use, as text: where an answer shows one, it was no control token. */
const templateMarks = new RegExp(
  [
    String.raw`<\|?(?:im_start|im_end|eot_id|start_header_id|end_header_id|endoftext|assistant|user)\|?>`,
    '</?(?:start_of_turn|end_of_turn)>',
    String.raw`\[/?INST\]`,
    '<</?SYS>>',
  ].join('|'),
);

/** How a base begins the next turn of the dialogues that it has read. */
const nextTurn = /\n\s*(?:#+ *)?(?:Question|Q|Instruction|User|Human)\s*:/i;

const thinkingMark = /^\s*<(?:think|thinking|reasoning)>/;

/** Shares of the answers with which something is wrong, in [0, 1]. */
export function faultsOf(
  answers: readonly Pick<Answer, 'text' | 'stopReason'>[],
): Pick<Evidence, 'unfinished' | 'thinking' | 'marks' | 'nextQuestion' | 'empty'> {
  const share = (isSo: (answer: Pick<Answer, 'text' | 'stopReason'>) => boolean) =>
    answers.filter(isSo).length / Math.max(1, answers.length);
  return {
    unfinished: share(
      ({ stopReason }) => stopReason === 'length' || stopReason === 'context' || stopReason === 'stalled' || stopReason === 'timeout',
    ),
    thinking: share(({ text }) => thinkingMark.test(text)),
    marks: share(({ text }) => templateMarks.test(text)),
    nextQuestion: share(({ text }) => nextTurn.test(text)),
    empty: share(({ text }) => text.trim() === ''),
  };
}
