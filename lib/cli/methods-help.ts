import { entry, prose } from './layout.ts';

/** Flags of one method each, and what it does: in the order of docs/methods.md, which says where they come from and what they cost. */
export const methods = [
  ['', 'the base writes, and defers where its best token has less than --gamma'],
  ['--rule bet', "it defers where the aligned model's next word beats its own by --rule bet:lambda=L"],
  ['--rule hybrid', 'the bet, but only between two gammas; outside them as without a rule'],
  ['--rule margin', 'it defers where its two best tokens are close'],
  ['--rule entropy', 'it defers where its distribution is wide'],
  ['--rule adaptive', 'gamma follows how often it defers'],
  ['--lead 8', 'the aligned model writes the first tokens'],
  ['--end-rule either', 'the base may end the answer too'],
  ['--mode reverse', 'the aligned model writes; the base where that is unsure'],
  ['--mode base', 'the base alone'],
  ['--mode aligned', 'the aligned model alone'],
  ['--mode in-context', 'the base alone, behind examples of answers (--in-context-prompt)'],
  ['--mode ensemble', 'the mean of both at each token, or with two vocabularies at each byte (--weights, --unit)'],
  [
    '--mode proxy-tuning --reference FILE',
    'base + aligned − reference, which is the aligned model before it was aligned (--alpha, --unit)',
  ],
  ['--mode ensemble --compat paper', "an ensemble as in the nudging paper's code; proxy-tuning likewise"],
  ['--rule blend', 'one vocabulary: where the base is unsure, the next token comes from a mixture'],
  ['--rule kad-dual', 'one vocabulary: a token of the base that is improbable is replaced'],
  ['--rule kad-primal --temperature 1', 'one vocabulary: a token out of its unlikely tail is'],
  ['--rule bet-token', 'one vocabulary: the bet, on tokens'],
] as const;

/** The text of `nudging help methods`. */
export function methodsHelp(columns: number): string {
  return [
    prose('Ways to an answer of two models, or three. With the flag alone each takes its defaults.', columns),
    methods.map(([flags, about]) => entry(flags === '' ? '(no flag)' : flags, about, 40, columns)).join(''),
    prose('What a flag of another method would set is refused. nudging explain shows who wrote what; nudging eval compares them.', columns),
  ].join('\n');
}
