import { byId, element } from './dom.js';
import { hashOf, rules, settingsFrom } from './settings.js';

/** @typedef {import('./settings.js').Settings} Settings */

const input = (/** @type {string} */ id) => byId(id, HTMLInputElement);
const pair = byId('pair', HTMLSelectElement);
const rule = byId('rule', HTMLSelectElement);
const question = byId('question', HTMLTextAreaElement);
const system = byId('system', HTMLTextAreaElement);
/** Those of them that do not ask about γ. */
const withoutGamma = new Set(['bet', 'hybrid', 'margin', 'entropy']);

/** What a pair does with a request that sets nothing. @param {string} name @param {any} properties @returns {Partial<Settings>} */
function usualOf(name, { models, default_model, limits }) {
  const { gamma = 0.4, rule: own, max_tokens = 256, temperature = 0 } = models[name] ?? {};
  const ruleName = typeof own === 'object' && own !== null ? own.name : own;
  const length = Math.min(max_tokens, limits.tokens);
  return { pair: default_model, gamma, rule: rules.includes(ruleName) ? ruleName : 'top1', length, temperature };
}

/** The fields, the address, and what of both is the server's own. */
export class Form {
  /** @type {any} */
  #properties;
  /** @type {Partial<Settings>} */
  #usual = {};

  /** @param {any} properties what `/props` says; again, once more of it is known */
  open(properties) {
    // What somebody has typed in the meantime stays.
    if (this.#properties) this.toAddress();
    this.#properties = properties;
    const names = Object.keys(properties.models);
    pair.replaceChildren(...names.map((name) => element('option', {}, name)));
    byId('pair-field').hidden = names.length < 2;
    rule.replaceChildren(...rules.map((name) => element('option', {}, name)));
    input('length').max = String(properties.limits.tokens);
    this.fromAddress();
  }

  /** Sets the fields as the address says. */
  fromAddress() {
    const given = settingsFrom(location.hash);
    const { models, default_model, limits } = this.#properties;
    const name = given.pair !== undefined && Object.hasOwn(models, given.pair) ? given.pair : default_model;
    this.#usual = usualOf(name, this.#properties);
    const { gamma, rule: ruleName, length, temperature, ...all } = { ...this.#usual, ...given };
    pair.value = name;
    question.value = all.question ?? '';
    system.value = all.system ?? '';
    input('gamma').value = String(gamma);
    rule.value = rules.includes(ruleName ?? '') ? /** @type {string} */ (ruleName) : (this.#usual.rule ?? 'top1');
    input('length').value = String(Math.min(length ?? 256, limits.tokens));
    input('temperature').value = String(temperature);
    input('seed').value = all.seed === undefined ? '' : String(all.seed);
    input('compare').checked = all.compare ?? false;
    this.#told();
  }

  /** What another pair's own settings are, in the fields that were not changed. */
  pairChanged() {
    const { gamma, rule: ruleName, length, temperature, ...rest } = this.settings();
    const before = this.#usual;
    const changed = Object.entries({ gamma, rule: ruleName, length, temperature }).filter(
      ([name, value]) => value !== before[/** @type {keyof Settings} */ (name)],
    );
    this.#usual = usualOf(pair.value, this.#properties);
    const settings = /** @type {Settings} */ ({ ...rest, ...this.#usual, pair: pair.value, ...Object.fromEntries(changed) });
    this.toAddress(settings);
    this.fromAddress();
  }

  /** @returns {Settings} */
  settings() {
    const seed = input('seed').value;
    return {
      pair: pair.value,
      question: question.value,
      system: system.value,
      gamma: Number(input('gamma').value),
      rule: rule.value,
      length: Number(input('length').value),
      temperature: Number(input('temperature').value),
      seed: seed === '' ? undefined : Number(seed),
      compare: input('compare').checked,
    };
  }

  /** Writes the settings to the address, without a new step in the history. */
  toAddress(settings = this.settings()) {
    const hash = hashOf(settings, this.#usual);
    history.replaceState(null, '', hash === '' ? location.pathname + location.search : `#${hash}`);
    this.#told();
  }

  /** @param {number} gamma */
  setGamma(gamma) {
    input('gamma').value = String(gamma);
    this.toAddress();
  }

  /** What follows from the fields. */
  #told() {
    input('gamma').disabled = withoutGamma.has(rule.value);
    const { places = 1 } = this.#properties.models[pair.value] ?? {};
    const hint = byId('places');
    hint.hidden = !input('compare').checked || places >= 3;
    const atOnce = places === 1 ? 'one request' : `${places} requests`;
    hint.textContent = `This pair answers ${atOnce} at a time, so the answers come one after the other.`;
  }
}
