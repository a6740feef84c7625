import { readFileSync } from 'node:fs';
import { inRoot } from './paths.mjs';

/** @typedef {{ task: 'define' | 'lastletter', question: string, answer: string }} Question */

export const tasks = /** @type {const} */ (['define', 'lastletter']);

/**
 * The demonstration pair's questions.
 * @param {number} perTask the first so many of each task
 * @returns {Question[]}
 */
export function readQuestions(perTask) {
  const lines = readFileSync(inRoot('models/demo/eval.jsonl'), 'utf8').split('\n').filter(Boolean);
  const all = /** @type {Question[]} */ (lines.map((line) => JSON.parse(line)));
  return tasks.flatMap((task) => all.filter((question) => question.task === task).slice(0, perTask));
}

/**
 * Whether a text answers a question. models/recipe/evaluate.py has the same rule.
 * @param {Question} question
 * @param {string} text
 */
export function isRight({ task, answer }, text) {
  if (task === 'define') return text.includes(answer);
  return /answer is "?([a-z]+)"?/.exec(text)?.[1] === answer;
}
