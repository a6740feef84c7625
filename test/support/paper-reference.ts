import type { Answer, Input, Inspected, Nudging } from '../../lib/index.ts';

const decoded = (parts: readonly Uint8Array[]) =>
  // What is incomplete at the end is left out (R4).
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(parts), { stream: true });
/** Latin-1 tells any two byte strings apart. */
const spelled = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** R38 a second time, without any state between questions. */
export async function paperReference(
  engine: Nudging,
  input: Input,
  mode: 'ensemble' | 'proxy-tuning',
  { maxTokens, lookahead = 16 }: { maxTokens: number; lookahead?: number },
): Promise<Pick<Answer, 'text' | 'stopReason'> & { used: number }> {
  const tunes = mode === 'proxy-tuning';
  const lanes = tunes ? ['base', 'aligned', 'reference'] : ['base', 'aligned'];
  let text = '';
  let used = 0;
  const window = async (lane: string, length: number) => {
    const places: Inspected[] = [];
    while (places.length < length) {
      const tokens = places.map(({ token }) => token);
      const next = await engine.inspect({ lane, input, text, tokens, candidates: tunes ? 100 : 5 });
      if (next.ends) return { places, ended: true };
      places.push(next);
    }
    return { places, ended: false };
  };
  for (;;) {
    const length = Math.min(lookahead, maxTokens - used);
    const windows = [];
    for (const lane of lanes) windows.push(await window(lane, length));
    const [base, aligned] = windows;
    if (base === undefined || aligned === undefined) throw new Error('two models at least');
    const add = (parts: readonly Uint8Array[]) => {
      text += decoded(parts);
      used += parts.length;
    };
    if (aligned.ended) {
      add(aligned.places.map(({ bytes }) => bytes));
      return { text, stopReason: used === maxTokens ? 'length' : 'end', used };
    }
    let taken: Uint8Array[] = [];
    for (let at = 0; windows.every(({ places }) => at < places.length); at += 1) {
      const here = windows.map(({ places }) => places[at] as Inspected);
      const own = here.map(({ bytes }) => spelled(bytes));
      const tables = here.map(({ candidates }) => {
        const shown = candidates.filter(({ bytes }) => bytes.length > 0);
        return new Map([...shown].reverse().map(({ bytes, probability }) => [spelled(bytes), probability]));
      });
      // The likeliest first, the base's before the others', so that the first of equal scores wins.
      const all = [...tables].flatMap((table) => [...table.keys()].reverse());
      const score = (name: string) => {
        const [p, q, a] = tables.map((table) => table.get(name));
        if (!tunes) return (p ?? 0) + (q ?? 0);
        return p === undefined || q === undefined || !a ? 0 : (p * q) / a;
      };
      const best = all.reduce((winner, name) => (score(name) > score(winner) ? name : winner), '');
      const agreed = own.every((name) => name === own[0]);
      const winner = !tunes && agreed ? (own[0] as string) : best === '' ? (own[0] as string) : best;
      taken.push(Buffer.from(winner, 'latin1'));
      if (own.some((name) => name !== winner)) break;
    }
    if (decoded(taken) === '') {
      const first = base.places.find(({ bytes }) => bytes.length > 0);
      taken = first && windows.every(({ places }) => places.length > 0) ? [first.bytes] : [];
      if (decoded(taken) === '') {
        taken = [];
        for (const { bytes } of aligned.places) {
          taken.push(bytes);
          if (decoded(taken) !== '') break;
        }
      }
    }
    const before = text;
    add(taken);
    if (used >= maxTokens) return { text, stopReason: 'length', used };
    if (text === before) return { text, stopReason: 'stalled', used };
  }
}
