import { isObject } from '../../options.ts';
import type { RubricText } from './rubrics.ts';

/** A judge's reply that holds no scores. */
export class UnreadableVerdict extends Error {
  override readonly name = 'UnreadableVerdict';
}

/**
 * The scores in a judge's reply: one JSON object with every aspect as a whole number in range (as a number, or in digits), perhaps within
 * other text or a fence. Anything else is no verdict, and is never taken for a low one.
 *
 * @throws UnreadableVerdict
 */
export function readVerdict(reply: string, { aspects, range: [least, most] }: RubricText): Record<string, number> {
  const object = objectIn(reply);
  if (!object) throw new UnreadableVerdict(`no JSON object in ${JSON.stringify(reply.slice(0, 80))}`);
  return Object.fromEntries(
    aspects.map((aspect) => {
      const given = object[aspect];
      // Some judges nest a reason and a score, as the authors ask for it.
      const score = isObject(given) ? given['score'] : given;
      const value = typeof score === 'string' && /^\d+$/.test(score.trim()) ? Number(score) : score;
      if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
        throw new UnreadableVerdict(`"${aspect}" is ${JSON.stringify(score) ?? 'missing'}, not a whole number from ${least} to ${most}`);
      }
      return [aspect, value];
    }),
  );
}

function objectIn(reply: string): Record<string, unknown> | undefined {
  const [start, end] = [reply.indexOf('{'), reply.lastIndexOf('}')];
  if (start === -1 || end < start) return undefined;
  try {
    const value: unknown = JSON.parse(reply.slice(start, end + 1));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
