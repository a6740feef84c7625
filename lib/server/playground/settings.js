/**
 * What can be set, as the page's fields and the address have it. Settings that are the server's own are not in the address: there they
 * follow the server.
 *
 * @typedef {object} Settings
 * @property {string} pair
 * @property {string} question
 * @property {string} system
 * @property {number} gamma
 * @property {string} rule
 * @property {number} length tokens
 * @property {number} temperature
 * @property {number | undefined} seed
 * @property {boolean} compare
 */

/** @type {Record<string, [name: keyof Settings, read: (text: string) => any]>} */
const names = {
  pair: ['pair', String],
  q: ['question', String],
  system: ['system', String],
  gamma: ['gamma', numberFrom(0, 2)],
  rule: ['rule', (text) => (/^[a-z0-9-]+$/.test(text) ? text : undefined)],
  length: ['length', numberFrom(1, 1e6, true)],
  temperature: ['temperature', numberFrom(0, 2)],
  seed: ['seed', numberFrom(0, Number.MAX_SAFE_INTEGER, true)],
  compare: ['compare', (text) => text === '1'],
};

/** @param {number} low @param {number} high @param {boolean} [whole] @returns {(text: string) => number | undefined} */
function numberFrom(low, high, whole = false) {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    return value >= low && value <= high && (!whole || Number.isInteger(value)) ? value : undefined;
  };
}

/**
 * What an address says. Whoever made it: what is not known, or out of range, is left out.
 *
 * @param {string} hash with or without `#`
 * @returns {Partial<Settings>}
 */
export function settingsFrom(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  /** @type {Partial<Settings>} */
  const settings = {};
  for (const [key, [name, read]] of Object.entries(names)) {
    const text = given.get(key);
    const value = text === null ? undefined : read(text);
    if (value !== undefined) Object.assign(settings, { [name]: value });
  }
  return settings;
}

/** @param {Settings} settings @param {Partial<Settings>} usual what is the same without being said @returns {string} without `#` */
export function hashOf(settings, usual) {
  const said = new URLSearchParams();
  for (const [key, [name]] of Object.entries(names)) {
    const value = settings[name];
    if (value === undefined || value === '' || value === false || value === usual[name]) continue;
    said.set(key, value === true ? '1' : String(value));
  }
  return said.toString();
}

/** Rules whose decisions can be shown. The threshold γ is that of the first. */
export const rules = ['top1', 'bet', 'hybrid', 'margin', 'entropy', 'adaptive'];

/**
 * A request. `mode` is who writes.
 *
 * @param {Settings} settings @param {'nudge' | 'base' | 'aligned'} mode
 */
export function requestOf({ pair, question, system, gamma, rule, length, temperature, seed }, mode) {
  return {
    model: pair,
    messages: [...(system.trim() === '' ? [] : [{ role: 'system', content: system }]), { role: 'user', content: question }],
    max_completion_tokens: length,
    temperature,
    ...(seed === undefined ? {} : { seed }),
    nudging: { mode, trace: true, ...(mode === 'nudge' ? { gamma, rule } : {}) },
  };
}
