/**
 * The base's prompt, from the pair's template.
 * @param {{ basePrompt?: unknown, system?: string }} pair
 * @param {string} question
 */
export function basePrompt({ basePrompt, system }, question) {
  const template = typeof basePrompt === 'string' ? basePrompt : '{system}Question: {question}\nAnswer:\n';
  /** @type {Record<string, string>} */
  const values = { question, system: system ? `${system}\n\n` : '' };
  return template.replace(/\{(question|system)\}/g, (_, name) => values[name] ?? '');
}

/** @param {{ system?: string }} pair @param {string} question */
export function messages({ system }, question) {
  return [...(system ? [{ role: 'system', content: system }] : []), { role: 'user', content: question }];
}
