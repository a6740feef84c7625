/**
 * Numbers in [0, 1) that look random and are the same for the same seed: the mulberry32 generator, whose period of 2^32 is plenty for
 * resampling some hundred prompts.
 *
 * @param seed its lowest 32 bits count
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` different ones of `items` (all of them if there are fewer), every choice as likely as any other, in their old order. */
export function sample<Item>(items: readonly Item[], count: number, random: () => number): Item[] {
  const chosen: Item[] = [];
  let left = items.length;
  for (const item of items) {
    if (random() * left < count - chosen.length) chosen.push(item);
    left -= 1;
  }
  return chosen;
}
