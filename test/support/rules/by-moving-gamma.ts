import type { Judge } from './judge.ts';

export interface AdaptiveNumbers {
  rate: number;
  step: number;
  reach: number;
}

/** R22: γ as a function of all judgements before, computed anew for each. */
export function byMovingGamma(start: number, { rate, step, reach }: AdaptiveNumbers): Judge {
  const before: number[] = [];
  const gamma = () =>
    before.reduce((now, probability) => {
      const moved = now + step * (rate - (probability < now ? 1 : 0));
      return Math.min(start + reach, Math.max(start - reach, moved));
    }, start);
  return {
    follow: () => {},
    speaks: async ({ next: { probability } }) => {
      const now = gamma();
      before.push(probability);
      return probability >= now;
    },
  };
}
