import type { Question } from '../task.ts';
import { drawNames, randomFor } from './draw.ts';

const people = 4;

/** Questions about a coin that four people flip or not; as many yes as no in the long run. */
export function coinFlips(seed: number, count: number): Question[] {
  return Array.from({ length: count }, (_, index) => {
    const random = randomFor(seed, index);
    const acts = drawNames(random, people).map((name) => ({ name, flips: random.upTo(1) === 1 }));
    const flips = acts.filter((act) => act.flips).length;
    const story = acts.map(({ name, flips: does }) => `${name} ${does ? 'flips' : 'does not flip'} the coin.`).join(' ');
    return {
      id: `coin_flip-${seed}-${index}`,
      input: `A coin is heads up. ${story} Is the coin still heads up? Note that "flip" here means "reverse".`,
      gold: flips % 2 === 0 ? 'yes' : 'no',
    };
  });
}
