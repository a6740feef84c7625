/**
 * What the demo pair does, whatever its size: its answers are the same when it is inflated.
 *
 * Rounds a token: `nudging --json --trace rounds` on 40 questions of models/demo/eval.jsonl, spread evenly: 145 rounds, 1,444 tokens.
 * Nudged: 38 % (docs/cost-model.md, "How it grows").
 */
export const rounds = 145 / 1444;
export const nudged = 0.38;

/** Tokens of a pass that is not of a single one: what the base is asked about is a nudge, what the aligned model reads is a run. */
export const stretch = { base: nudged / rounds, aligned: (1 - nudged) / rounds };

/**
 * Calls to a remote base for each token: in a round it is asked about a draft once, and then for a run.
 * docs/scale.md says that there is no remote base yet.
 */
export const callsPerToken = 2 * rounds;
