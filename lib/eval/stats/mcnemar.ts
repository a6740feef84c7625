/** How two systems differ on the same questions. */
export interface Comparison {
  /** Questions that both answered. */
  pairs: number;
  /** Right in the first system and wrong in the second, and the other way round. */
  won: number;
  lost: number;
  /** Two-sided p-value of McNemar's exact test: how often as uneven a split or a more uneven one comes about by tossing a coin. */
  p: number;
}

/** McNemar's test with the exact binomial distribution, two-sided (McNemar 1947). Without a difference p is 1. */
export function mcnemar(pairs: readonly (readonly [first: boolean, second: boolean])[]): Comparison {
  const won = pairs.filter(([first, second]) => first && !second).length;
  const lost = pairs.filter(([first, second]) => !first && second).length;
  return { pairs: pairs.length, won, lost, p: Math.min(1, 2 * tail(Math.min(won, lost), won + lost)) };
}

/** The probability of at most `least` heads in `tosses` tosses. Sums of logarithms, because 2^-tosses is too small for a number. */
function tail(least: number, tosses: number): number {
  let logTerm = -tosses * Math.LN2;
  let sum = Math.exp(logTerm);
  for (let heads = 1; heads <= least; heads += 1) {
    logTerm += Math.log((tosses - heads + 1) / heads);
    sum += Math.exp(logTerm);
  }
  return sum;
}
