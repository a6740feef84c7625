import { Asker, Relay } from './programs.mjs';

/** Longer than every wait of a slow link, and shorter than loading over one: what is slow must not count as lost. */
const rpcTimeout = 3000;
const questions = 3;

/** @type {{ what: string, rate?: string, delay?: number }[]} */
const kinds = [
  { what: 'as it is' },
  { what: '10 ms there and back', delay: 5 },
  { what: '50 ms there and back', delay: 25 },
  { what: '10 Mbit/s', rate: '10mbit' },
];

/** @param {import('./network.mjs').Network} network @param {import('./programs.mjs').Server} server */
export async function links(network, server) {
  const head = ['link', 'load, s', 'nudging, ms a token', 'base alone, ms a token', 'text'];
  const local = await measured(network, {});
  const rows = [['none: both models here', ...local.cells, '']];
  /** @type {string[]} */
  const faults = [];
  for (const [at, { what, rate, delay }] of kinds.entries()) {
    if (rate) network.limit(rate);
    const relay = delay === undefined ? undefined : new Relay(network, 51_000 + at, server.endpoint, delay);
    await relay?.ready;
    try {
      const there = await measured(network, { rpcServers: [relay?.endpoint ?? server.endpoint], rpcTimeout });
      const same = there.texts.every((text, index) => text === local.texts[index]);
      rows.push([what, ...there.cells, same ? 'the same' : `other, ${there.ties} ties`]);
      if (!same && there.ties === 0) faults.push(`${what}: another text, and no tie`);
    } catch (error) {
      faults.push(`${what}: ${/** @type {Error} */ (error).message}`);
    } finally {
      relay?.kill();
      if (rate) network.limit();
    }
  }
  return { head, rows, faults };
}

/** @param {import('./network.mjs').Network} network @param {import('../../dist/index.js').LoadOptions} options */
async function measured(network, options) {
  const asker = new Asker(network);
  try {
    const loaded = await asker.load({ threads: 1, deterministic: false, ...options });
    if (loaded.code) throw new Error(`${loaded.code} ${loaded.message}`);
    const texts = [];
    let ties = 0;
    const perToken = [];
    for (const ask of [{}, /** @type {const} */ ({ mode: 'base', maxTokens: 40 })]) {
      let [ms, tokens] = [0, 0];
      for (let i = 0; i < questions; i += 1) {
        const told = await asker.ask(ask);
        if (told.code) throw new Error(`${told.code} ${told.message}`);
        // The first time pays for what is learnt and laid out once.
        if (i > 0) [ms, tokens] = [ms + told.ms, tokens + (told.tokens ?? 0)];
        texts.push(told.text);
        ties += told.ties ?? 0;
      }
      perToken.push((ms / tokens).toFixed(1));
    }
    return { texts, ties, cells: [(loaded.ms / 1000).toFixed(1), ...perToken] };
  } finally {
    asker.kill();
  }
}
