/**
 * A raw prompt as this package takes it: what the question says is no control token.
 * @param {string} template @param {string} question
 */
export function segments(template, question) {
  const [before = '', after = ''] = template.split('{question}');
  return [
    { text: before, special: true },
    { text: question, special: false },
    { text: after, special: true },
  ];
}

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
