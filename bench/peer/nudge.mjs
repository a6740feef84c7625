/** @typedef {import('./lane.mjs').Lane} Lane */

/**
 * The rules R1 to R14, written from their text alone, for one question. Words are kept as a list instead of positions: a draft is its
 * leading part, then words that each begin with one space.
 *
 * @param {Lane} base
 * @param {Lane} aligned
 * @param {{ gamma: number, lookahead: number, maxTokens: number }} options
 */
export async function nudge(base, aligned, { gamma, lookahead, maxTokens }) {
  let out = '';
  let left = maxTokens;
  for (;;) {
    // R3
    const draft = [];
    let ended = false;
    while (!ended && draft.length < lookahead) {
      const next = await aligned.next(out, draft);
      ended = next.ends;
      if (!ended) draft.push(next.token);
    }

    // R5-R7
    const text = aligned.text(draft);
    const words = split(text);
    /** @type {string | undefined} */
    let taken = ended ? text : undefined;
    /** @type {Awaited<ReturnType<Lane['next']>> | undefined} */
    let first;
    for (let kept = 1; kept < words.length && taken === undefined; kept += 1) {
      const before = words.slice(0, kept).join('');
      const next = await base.next(out + before);
      const isEnd = next.ends || !next.shows;
      const agrees = /** @type {string} */ (words[kept]).replace(/ +$/, '').startsWith(next.text);
      if (isEnd || agrees || next.probability >= gamma) taken = before;
      if (!isEnd && taken !== undefined) first = next;
    }
    // R8
    if (taken === undefined) {
      if (/[^ ] +$/.test(text)) taken = text.slice(0, -1);
      else taken = words.length > 1 ? words.slice(0, -1).join('') : text;
    }

    // R12, R13
    let cost = 0;
    while (aligned.text(draft.slice(0, cost)).length < taken.length) cost += 1;
    if (cost > left) return out + aligned.text(draft.slice(0, left));
    left -= cost;
    out += taken;
    if (ended || left === 0 || taken === '') return out;
    if (first === undefined) continue;

    // R9-R11
    const run = [first.token];
    left -= 1;
    while (left > 0) {
      const next = await base.next(out, run);
      if (next.ends || !next.shows || next.probability < gamma) break;
      run.push(next.token);
      left -= 1;
    }
    out += base.text(run);
    if (left === 0) return out;
  }
}

/**
 * The part up to the first boundary, then one part for each next: " word", or " word" and the spaces before its last one.
 * @param {string} draft
 */
function split(draft) {
  const parts = [''];
  for (const piece of draft.split(/(?= )/)) {
    // A lone space is no word: it belongs to what is before it.
    const previous = /** @type {string} */ (parts.at(-1));
    const startsWord = /^ [^ ]/.test(piece) && /[^ ]/.test(parts.join(''));
    if (startsWord) parts.push(piece);
    else parts[parts.length - 1] = previous + piece;
  }
  return parts;
}
