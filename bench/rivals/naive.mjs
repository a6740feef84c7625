/**
 * Nudging as one writes it over a model API that answers "what comes next?": the rules R1 to R14 (docs/semantics.md), one question after
 * the other. What it costs is decided by the lanes that it is given.
 *
 * @typedef {object} Next
 * @property {number} token
 * @property {string} text   empty for control tokens
 * @property {boolean} ends
 * @property {number} probability
 *
 * @typedef {object} Lane
 * @property {(output: string, own?: readonly number[]) => Promise<Next>} next the top-1 token after prompt, output and tokens of the
 *   model's own
 * @property {(tokens: readonly number[]) => string} text
 */

/**
 * @param {Lane} base
 * @param {Lane} aligned
 * @param {{ gamma: number, lookahead: number, maxTokens: number }} settings
 * @param {() => void} onText called whenever text was committed
 * @returns {Promise<{ text: string, tokens: number }>} tokens as R12 counts them
 */
export async function naiveNudging(base, aligned, { gamma, lookahead, maxTokens }, onText) {
  let out = '';
  let used = 0;
  for (;;) {
    const { draft, ended } = await draftAfter(aligned, out, lookahead);
    const text = aligned.text(draft);
    const { taken, first } = ended ? { taken: text, first: undefined } : await ask(base, out, text, gamma);

    let cost = 0;
    while (cost < draft.length && aligned.text(draft.slice(0, cost)).length < taken.length) cost += 1;
    if (used + cost > maxTokens) return { text: out + aligned.text(draft.slice(0, maxTokens - used)), tokens: maxTokens };
    used += cost;
    out += taken;
    if (taken !== '') onText();
    if (ended || used === maxTokens || (taken === '' && first === undefined)) return { text: out, tokens: used };
    if (first === undefined) continue;

    const run = [first.token];
    while (used + run.length < maxTokens) {
      const next = await base.next(out, run);
      if (next.ends || next.text === '' || next.probability < gamma) break;
      run.push(next.token);
    }
    used += run.length;
    out += base.text(run);
    onText();
    if (used === maxTokens) return { text: out, tokens: used };
  }
}

/** R3. @param {Lane} aligned @param {string} out @param {number} lookahead */
async function draftAfter(aligned, out, lookahead) {
  const draft = [];
  while (draft.length < lookahead) {
    const next = await aligned.next(out, draft);
    if (next.ends) return { draft, ended: true };
    draft.push(next.token);
  }
  return { draft, ended: false };
}

/**
 * R5 to R8: what is taken from the draft, and the base's first token if it takes over.
 * @param {Lane} base @param {string} out @param {string} draft @param {number} gamma
 */
async function ask(base, out, draft, gamma) {
  for (const { index } of draft.matchAll(/(?<=[^ ] *) (?=[^ ])/g)) {
    const next = await base.next(out + draft.slice(0, index));
    const word = /^ [^ ]*/.exec(draft.slice(index))?.[0] ?? '';
    const isEnd = next.ends || next.text === '';
    if (isEnd || word.startsWith(next.text) || next.probability >= gamma)
      return { taken: draft.slice(0, index), first: isEnd ? undefined : next };
  }
  const lastSpace = draft.lastIndexOf(' ');
  const leading = draft.length - draft.trimStart().length;
  return { taken: lastSpace < leading ? draft : draft.slice(0, lastSpace), first: undefined };
}
