import type { Decision } from '../types.ts';

const space = 0x20;

/**
 * From a full trace: at each boundary of a draft where the base was asked, its top-1 probability, and whether the aligned model's next word
 * there begins with the base's token (the agreement of R7b). Boundaries whose word the trace does not hold are left out.
 */
export function boundariesIn(decisions: readonly Decision[]): [probability: number, agrees: boolean][] {
  const found: [number, boolean][] = [];
  let start = 0;
  let draft = Buffer.alloc(0);
  for (const { kind, position, bytes, probability } of decisions) {
    if (kind === 'draft') {
      if (position !== start + draft.length) [start, draft] = [position, Buffer.alloc(0)];
      draft = Buffer.concat([draft, bytes]);
    } else if (kind === 'boundary' && position >= start && position < start + draft.length) {
      const rest = draft.subarray(position - start);
      // The word's own space is its first byte, and the next one ends it.
      const end = rest.indexOf(space, 1);
      const word = end === -1 ? rest : rest.subarray(0, end);
      const agrees = bytes.length > 0 && word.subarray(0, bytes.length).equals(bytes);
      found.push([Math.round(probability * 1e4) / 1e4, agrees]);
    }
  }
  return found;
}
