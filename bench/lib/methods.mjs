import { readFileSync } from 'node:fs';
import { inRoot } from '../../scripts/lib/paths.mjs';

/** @typedef {import('../../dist/index.js').GenerateOptions} GenerateOptions */
/**
 * @typedef {object} Method one way to an answer, docs/methods.md says more of each
 * @property {string} name
 * @property {string} label
 * @property {GenerateOptions} options
 * @property {true} [asksReference] whether the third model takes part
 */

/** The method that all times are divided by. */
export const yardstick = 'nudge';

/**
 * Every method, with its defaults.
 * @param {{ knowsQuestions: boolean }} pair whether its models were made for the demo pair's questions
 * @returns {Method[]}
 */
export function allMethods({ knowsQuestions }) {
  // The package's examples are longer than the context of such models.
  const examples = knowsQuestions ? { inContextPrompt: readFileSync(inRoot('models/demo/in-context.txt'), 'utf8') } : {};
  const reference = /** @type {const} */ ({ asksReference: true });
  return [
    // A base that goes on with its next question is measured to the end.
    { name: 'base', label: 'base alone', options: { mode: 'base', stop: [] } },
    { name: 'aligned', label: 'aligned alone', options: { mode: 'aligned' } },
    {
      name: 'reference',
      label: 'reference alone',
      options: { mode: 'ensemble', weights: { reference: 1 }, unit: 'token' },
      ...reference,
    },
    { name: 'nudge', label: 'nudging, `top1`', options: { mode: 'nudge' } },
    { name: 'bet', label: 'nudging, `bet`', options: { rule: 'bet' } },
    { name: 'hybrid', label: 'nudging, `hybrid`', options: { rule: 'hybrid' } },
    { name: 'margin', label: 'nudging, `margin`', options: { rule: 'margin' } },
    { name: 'entropy', label: 'nudging, `entropy`', options: { rule: 'entropy' } },
    { name: 'adaptive', label: 'nudging, `adaptive`', options: { rule: 'adaptive' } },
    { name: 'lead', label: 'nudging, `lead: 8`', options: { lead: 8 } },
    { name: 'reverse', label: 'reverse', options: { mode: 'reverse' } },
    { name: 'in-context', label: 'in-context', options: { mode: 'in-context', ...examples } },
    { name: 'ensemble', label: 'ensemble, tokens', options: { mode: 'ensemble', unit: 'token' } },
    { name: 'ensemble-byte', label: 'ensemble, bytes', options: { mode: 'ensemble', unit: 'byte' } },
    { name: 'ensemble-paper', label: "ensemble, `compat: 'paper'`", options: { mode: 'ensemble', compat: 'paper' } },
    { name: 'proxy', label: 'proxy tuning, tokens', options: { mode: 'proxy-tuning', unit: 'token' }, ...reference },
    { name: 'proxy-byte', label: 'proxy tuning, bytes', options: { mode: 'proxy-tuning', unit: 'byte' }, ...reference },
    { name: 'proxy-paper', label: "proxy tuning, `compat: 'paper'`", options: { mode: 'proxy-tuning', compat: 'paper' }, ...reference },
    { name: 'blend', label: '`blend`', options: { rule: 'blend' } },
    { name: 'kad-dual', label: '`kad-dual`', options: { rule: 'kad-dual' } },
    // Greedy, it never rejects.
    { name: 'kad-primal', label: '`kad-primal`, temperature 1', options: { rule: 'kad-primal', temperature: 1, seed: 1 } },
    { name: 'bet-token', label: '`bet-token`', options: { rule: 'bet-token' } },
  ];
}

/**
 * What a token of one method costs in units of others, with what is aimed at: in one pass of each of some models alone, or in a token of
 * another method. Each round has its own.
 */
export const aims = /** @type {const} */ ([
  { over: 'ensemble', passesOf: ['base', 'aligned'], atMost: 1.1 },
  { over: 'proxy', passesOf: ['base', 'aligned', 'reference'], atMost: 1.1 },
  { over: 'ensemble-byte', tokenOf: 'ensemble', atMost: 1.5 },
  { over: 'proxy-byte', tokenOf: 'proxy', atMost: 1.5 },
]);
