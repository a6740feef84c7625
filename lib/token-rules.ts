/**
 * Rules that decide token by token (docs/semantics.md, R34 to R37), for models of one vocabulary: ERR_VOCABULARIES_DIFFER otherwise. They
 * are there for comparison; nudging's own rules go by words, and join any two models.
 *
 * - `blend`: BlendIn ([2606.11201](https://arxiv.org/abs/2606.11201)). Where the base's top-1 probability is below `tau`, the token comes
 *   from a mixture of both models' distributions, in which the aligned one has the share `weight`.
 * - `kad-dual`, `kad-primal`, `bet-token`: the rejections of [2604.16146](https://arxiv.org/abs/2604.16146). The base draws a token, and
 *   where it is rejected the aligned model draws one in its place. `kad-dual` rejects tokens of a probability below `alpha`; `kad-primal`
 *   the least likely ones, of `alpha` together; `bet-token` those that are less probable than the aligned model's likeliest one less
 *   `lambda`.
 */
export type TokenRule =
  | TokenRuleName
  | {
      readonly name: 'blend';
      /** τ, 0 to 2. Default 0.4. */
      readonly tau?: number;
      /**
       * `ratio` (default): q̂ ÷ (p̂ + q̂) + a tenth of the base's probability of the aligned model's likeliest token, p̂ and q̂ being the
       * top-1 probabilities. `product`: (1 − p̂) q̂ (1 + that probability). Both are cut to 0 to 1. A number from 0 to 1: that.
       */
      readonly weight?: 'ratio' | 'product' | number;
    }
  | {
      readonly name: 'kad-dual' | 'kad-primal';
      /** α, 0 to 1. Default 0.4. */
      readonly alpha?: number;
    }
  | {
      readonly name: 'bet-token';
      /** λ, 0 to 1. Default 0.2. */
      readonly lambda?: number;
    };

/** The names of rules that go token by token. */
export type TokenRuleName = 'blend' | 'kad-dual' | 'kad-primal' | 'bet-token';

const alpha = { low: 0, high: 1, default: 0.4 };

/** These rules and their parameters, for the table of all rules. */
export const tokenRules = {
  blend: { tau: { low: 0, high: 2, default: 0.4 }, weight: { low: 0, high: 1, words: ['ratio', 'product'], default: 'ratio' } },
  'kad-dual': { alpha },
  'kad-primal': { alpha },
  'bet-token': { lambda: { low: 0, high: 1, default: 0.2 } },
} as const;

/** Whether a rule is one of these. */
export function isTokenRule({ name }: { name: string }): boolean {
  return Object.hasOwn(tokenRules, name);
}
