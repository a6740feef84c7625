import type { ExplainedWord, Explanation } from './explanation.ts';

/** One bar of the probability strip. */
export interface Bar {
  /** Which word: an index of {@link Explanation.words}. */
  word: number;
  source: ExplainedWord['source'];
  /** The base's top-1 probability where the word begins; missing where it was not asked. */
  probability?: number;
}

/** The probability strip: a bar for each word of the answer, in its order. */
export function bars({ words }: Explanation): Bar[] {
  return words.map(({ source, base }, word) => ({ word, source, ...(base ? { probability: base.probability } : {}) }));
}

/**
 * The strip's shapes as SVG, `step` wide and `height` high for each bar: filled bars are the base's words, outlined ones the aligned
 * model's, a dot below the line is where nobody asked, and the line is γ. Numbers only: nothing of a model's text is in it.
 *
 * @param x of the left edge
 * @param y of the upper edge
 */
export function stripShapes(
  explanation: Explanation,
  { x, y, step, height }: { x: number; y: number; step: number; height: number },
): string {
  const all = bars(explanation);
  const number = (value: number) => String(Math.round(value * 10) / 10);
  const gap = Math.min(2, step / 4);
  const shapes = all.map(({ word, source, probability }) => {
    const left = x + word * step + gap / 2;
    const kind = source === 'nudge' ? 'bar nudged' : 'bar';
    if (probability === undefined) {
      const center = `cx="${number(left + (step - gap) / 2)}" cy="${number(y + height - 1.5)}"`;
      return `<circle class="bar none" data-word="${word}" ${center} r="1.5"/>`;
    }
    const tall = Math.max(1, probability * height);
    const place = `x="${number(left)}" y="${number(y + height - tall)}" width="${number(step - gap)}" height="${number(tall)}"`;
    return `<rect class="${kind}" data-word="${word}" ${place}/>`;
  });
  const { gamma } = explanation;
  const line = gamma === undefined || gamma > 1 ? [] : [y + height - gamma * height];
  return [
    ...shapes,
    ...line.map(
      (at) => `<line class="gamma" x1="${number(x)}" x2="${number(x + all.length * step)}" y1="${number(at)}" y2="${number(at)}"/>`,
    ),
  ].join('\n');
}
