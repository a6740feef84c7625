/**
 * What a forward pass costs by the number of its tokens, in units of a single token's: [tokens, units], ascending, from 1 on.
 * @typedef {readonly (readonly [number, number])[]} Curve
 */

/** llama-bench on 2 cores, Q4_0: docs/cost-model.md, "inflated", base and aligned model. @satisfies {Record<string, Curve>} */
export const cpuQ4 = {
  base: [
    [1, 1],
    [2, 1.71],
    [3, 2.32],
    [4, 2.06],
    [6, 3.43],
    [8, 3.55],
    [12, 5.16],
    [16, 6.45],
    [32, 10.52],
  ],
  aligned: [
    [1, 1],
    [2, 1.84],
    [3, 2.3],
    [4, 2.8],
    [6, 3.71],
    [8, 4.21],
    [12, 6.09],
    [16, 7.39],
    [32, 13.48],
  ],
};
/** The same in F16, of which only this is known: bench/README.md, "Many streams". @type {Curve} */
export const cpuF16 = [
  [1, 1],
  [8, 2.5],
];
/** llama-bench on one H200, 7.82 B in F16, ÷ 5.1 ms for a single token: bench/results/gpu.json. Taken for the H100 too. @type {Curve} */
export const gpu = [
  [1, 1],
  [2, 1.61],
  [4, 1.57],
  [8, 1.63],
  [16, 1.73],
  [32, 2.33],
];

/** @param {Curve} curve @param {number} tokens at least 1; beyond the last it goes on as between the last two */
export function units(curve, tokens) {
  let index = curve.findIndex(([known]) => known >= tokens);
  if (index < 0) index = curve.length - 1;
  const [right, to] = curve[Math.max(index, 1)] ?? [1, 1];
  const [left, from] = curve[Math.max(index, 1) - 1] ?? [1, 1];
  return from + ((tokens - left) / (right - left)) * (to - from);
}

/**
 * Units of an average pass. Few passes have the average number of tokens: most have one, and the others a whole stretch. So between one
 * token and a stretch it is their mixture that counts, not the curve.
 *
 * @param {Curve} curve
 * @param {number} tokens of the average pass
 * @param {number} stretch tokens of those that are not single
 */
export function averageUnits(curve, tokens, stretch) {
  if (tokens >= stretch) return units(curve, tokens);
  return 1 + ((Math.max(tokens, 1) - 1) / (stretch - 1)) * (units(curve, stretch) - 1);
}

/**
 * Milliseconds of single tokens' passes of a model in an answer.
 *
 * @typedef {{ passes: number, tokens: number, prompt: number }} Work of one model in one answer: its passes, the tokens in them, and
 *   the tokens of the prompt, which is one of the passes
 * @param {Curve} curve @param {Work} work @param {number} stretch
 */
export function workUnits(curve, { passes, tokens, prompt }, stretch) {
  if (passes === 0) return 0;
  const rest = passes - 1;
  return units(curve, prompt) + (rest <= 0 ? 0 : rest * averageUnits(curve, (tokens - prompt) / rest, stretch));
}
