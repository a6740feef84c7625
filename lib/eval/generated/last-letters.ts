import type { Question } from '../task.ts';
import { drawNames, randomFor } from './draw.ts';

const words = 4;

/** Questions for the last letters of four names. */
export function lastLetters(seed: number, count: number): Question[] {
  return Array.from({ length: count }, (_, index) => {
    const drawn = drawNames(randomFor(seed, index), words);
    return {
      id: `last_letter_concat-${seed}-${index}`,
      input: `Take the last letters of the words in "${drawn.join(' ')}" and concatenate them.`,
      gold: drawn.map((name) => name.at(-1)).join(''),
    };
  });
}
