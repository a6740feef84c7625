// What is asked of an installed package: small programs of somebody's project, each of which prints what it found.
import { writeFileSync } from 'node:fs';
import path from 'node:path';

export const question = 'What is a harbor?';
/** In the demo pair's answer. */
export const expected = 'a sheltered port';

const answer = `async function answer({ Nudging }, options) {
  const nudging = await Nudging.load(options);
  const { text } = await nudging.generate(${JSON.stringify(question)});
  await nudging.close();
  return text;
}`;

/** Programs by what they show, in files of those names. All that a runtime must be able to do prints the answer. */
export const programs = {
  import: {
    file: 'import.mjs',
    text: `import * as nudging from 'nudging';\n${answer}\nconsole.log(await answer(nudging));\n`,
  },
  require: {
    file: 'require.cjs',
    text: `const nudging = require('nudging');\n${answer}\nanswer(nudging).then(console.log);\n`,
  },
  'one copy for both': {
    file: 'both.cjs',
    text: `const required = require('nudging');
${answer}
import('nudging').then(async (imported) => {
  for (const name of Object.keys(imported)) if (imported[name] !== required[name]) throw new Error(name + ' is there twice');
  console.log(await answer(imported));
});
`,
  },
  'AI SDK': {
    file: 'ai-sdk.mjs',
    text: `import { generateText } from 'ai';
import * as nudging from 'nudging';
import { createNudging } from 'nudging/ai-sdk';
const engine = await nudging.Nudging.load();
console.log((await generateText({ model: createNudging(engine)(), prompt: ${JSON.stringify(question)} })).text);
await engine.close();
`,
  },
  isolate: {
    file: 'isolate.mjs',
    text: `import * as nudging from 'nudging';\n${answer}\nconsole.log(await answer(nudging, { isolate: true }));\n`,
  },
};

/** Two files, because Jest gives each of them a world of its own in the same process. */
export const jestTests = Object.fromEntries(
  ['first', 'second'].map((name) => [
    `${name}.test.js`,
    `
const { Nudging, NudgingError } = require('nudging');
const options = { isolate: ${name === 'second'} };

test('answers', async () => {
  const nudging = await Nudging.load(options);
  let text = '';
  for await (const piece of nudging.stream({ messages: [{ role: 'user', content: ${JSON.stringify(question)} }] })) text += piece.text;
  expect(text).toContain(${JSON.stringify(expected)});
  await nudging.close();
});

test('rejects with an error of the class that it exports', async () => {
  const loading = Nudging.load({ base: 'nowhere.gguf', aligned: 'nowhere.gguf' });
  await expect(loading).rejects.toThrow(NudgingError);
  await expect(loading).rejects.toMatchObject({ code: 'ERR_MODEL_UNREADABLE' });
});
`,
  ]),
);

/** @param {string} project */
export function writePrograms(project) {
  for (const { file, text } of Object.values(programs)) writeFileSync(path.join(project, file), text);
  for (const [file, text] of Object.entries(jestTests)) writeFileSync(path.join(project, file), text);
}
