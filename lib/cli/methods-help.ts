import { entry, prose } from './layout.ts';

/** Flags of one method each, and what it does: in the order of docs/methods.md, which says where they come from and what they cost. */
export const methods = [
  ['', 'the base writes; where its best token has less than --gamma, the aligned model says the next word'],
  ['--rule bet', 'instead of --gamma: where the aligned model is surer of its next word than the base of its own'],
  ['--rule hybrid', 'the bet between two gammas; below and above them as with --gamma'],
  ['--rule margin', "where the base's two best tokens are close"],
  ['--rule entropy', "where the base's distribution is wide"],
  ['--rule adaptive', 'a gamma that follows how often the base defers'],
  ['--lead 8', 'the aligned model writes the first tokens, too'],
  ['--end-rule either', 'the base may end the answer, too'],
  ['--mode reverse', 'the aligned model writes; where it is unsure, the base says the next word'],
  ['--mode base', 'the base alone'],
  ['--mode aligned', 'the aligned model alone'],
  ['--mode in-context', 'the base alone, behind examples of answers (--in-context-prompt)'],
  ['--mode ensemble', 'the mean of both at each token, or with two vocabularies at each byte (--weights, --unit)'],
  ['--mode proxy-tuning --reference FILE', 'base + aligned - reference: what the aligned model was before (--alpha, --unit)'],
  ['--mode ensemble --compat paper', "as in the nudging paper's own code, for comparison; proxy-tuning likewise"],
  ['--rule blend', 'where the base is unsure, its next token comes from a mixture of both (one vocabulary)'],
  ['--rule kad-dual', 'the aligned model replaces improbable tokens of the base (one vocabulary)'],
  ['--rule kad-primal --temperature 1', "it replaces those out of the base's unlikely tail (one vocabulary)"],
  ['--rule bet-token', 'the bet, token by token (one vocabulary)'],
] as const;

/** The text of `nudging help methods`. */
export function methodsHelp(columns: number): string {
  return [
    prose('Ways to an answer of two models, or three. With the flag alone each takes its defaults.', columns),
    methods.map(([flags, about]) => entry(flags === '' ? '(no flag)' : flags, about, 40, columns)).join(''),
    prose(
      'Flags that a method does not look at are refused. nudging explain shows who wrote what; nudging eval compares methods.',
      columns,
    ),
  ].join('\n');
}
