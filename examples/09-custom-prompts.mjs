// Prompts of your own, for models that know others than the usual ones. Run it: node examples/09-custom-prompts.mjs
import { Nudging } from 'nudging';

const nudging = await Nudging.load();
const question = 'What is a harbor?';
try {
  // The base's: a text with {question} and {system}, or a function of the chat. It should look like what the base has read of its like.
  /** @type {import('nudging').BasePrompt} */
  const basePrompt = ({ messages }) => `Question: ${messages.at(-1)?.content}\nAnswer:\n`;
  console.log(`base: ${(await nudging.generate(question, { basePrompt })).text}`);

  // The aligned model's: a Jinja chat template in place of the one in its file, with variables of yours.
  const alignedPrompt =
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{% endfor %}" +
    "{{ '<|im_start|>' + speaker + '\\n' }}";
  const templated = await nudging.generate(question, { alignedPrompt, templateOptions: { speaker: 'assistant' } });
  console.log(`aligned: ${templated.text}`);

  // Both as they are. Control tokens that the program writes are control tokens; what a user wrote stays text, whatever it spells.
  const asked = { text: question, special: false };
  const raw = await nudging.generate({
    base: [{ text: 'Question: ', special: true }, asked, { text: '\nAnswer:\n', special: true }],
    aligned: [{ text: '<|im_start|>user\n', special: true }, asked, { text: '<|im_end|>\n<|im_start|>assistant\n', special: true }],
  });
  console.log(`raw: ${raw.text}`);

  // How the answer begins, and how long a prompt is.
  const prefill = 'A harbor is';
  console.log(`prefilled: ${prefill}${(await nudging.generate(question, { prefill })).text}`);
  console.log(`${await nudging.countTokens(question, { lane: 'base' })} tokens of the base's`);
} finally {
  await nudging.close();
}
