import { NumpyRandom } from '../data/numpy-random.ts';
import { names } from './names.ts';

/** People of one question, without repetition. */
export function drawNames(random: NumpyRandom, count: number): string[] {
  const left = [...names];
  return Array.from({ length: count }, () => left.splice(random.upTo(left.length - 1), 1)[0] as string);
}

/**
 * A generator for the question with this number: the same question comes out however many others are made. Seeds that lie side by side
 * begin alike in no way that shows, since the twister stirs them.
 */
export function randomFor(seed: number, index: number): NumpyRandom {
  return new NumpyRandom((Math.imul(seed, 2654435761) + Math.imul(index + 1, 40503)) >>> 0);
}
