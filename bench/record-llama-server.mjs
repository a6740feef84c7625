#!/usr/bin/env node
// Writes down what a real llama-server says to our questions: test/transcripts/llama-server.json, which test/remote-transcripts.test.ts
// reads.
import { readFileSync, writeFileSync } from 'node:fs';
import { llamaServer } from '../dist/remote/llama-server.js';
import { BuildError, runMain } from '../scripts/lib/errors.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';
import { isBuilt } from './rivals/binaries.mjs';
import { startServer } from './rivals/server.mjs';

const model = 'models/demo/base.gguf';
const probe = 'Question: What is a harbor?\nAnswer:\n';
/** What stands behind the prompt, how much of it is asked about, and how long the server may go on. */
const asked = [
  { behind: '', asked: 1, run: 0 },
  { behind: ' A harbor is a sheltered', asked: 5, run: 0 },
  { behind: ' A harbor', asked: 1, run: 8 },
  { behind: ' A harbor is', asked: 3, run: 4 },
  { behind: ' Nobody knows, of course.', asked: 5, run: 2 },
];

await runMain(async () => {
  if (process.argv.length > 2)
    throw new BuildError('usage: node bench/record-llama-server.mjs (it takes llama-server: npm run bench:rivals)');
  if (!isBuilt('llama-server')) throw new BuildError('llama-server is not built: npm run bench:rivals');
  const server = await startServer(inRoot(model), 512, 1, 2);
  try {
    /** @param {import('../lib/remote/protocol.ts').Sent} sent */
    const post = async ({ path, body }) => {
      const response = await fetch(server.url + path, { method: 'POST', body: JSON.stringify(body) });
      return { type: response.headers.get('content-type'), text: (await response.text()).replaceAll(inRoot(model), model) };
    };
    /** @param {string} text @returns {Promise<number[]>} */
    const tokenize = async (text) => llamaServer.tokens(JSON.parse((await post(llamaServer.tokenize(text, undefined))).text));
    const about = await Promise.all(llamaServer.about.map(async (path) => ({ path, said: await (await fetch(server.url + path)).json() })));
    const { context, vocabulary } = llamaServer.facts(about.map(({ said }) => said));
    const exchanges = [];
    for (const { behind, ...rest } of asked) {
      const question = { tokens: await tokenize(probe + behind), ...rest };
      const sent = llamaServer.ask(question, undefined);
      exchanges.push({ question, sent, answer: await post(sent) });
    }
    const { tag } = JSON.parse(readFileSync(inRoot('vendor/llama.cpp.json'), 'utf8'));
    const written = {
      server: `llama-server of llama.cpp ${tag}`,
      model,
      context,
      vocabulary,
      probe,
      tokens: await tokenize(probe),
      exchanges,
    };
    writeFileSync(inRoot('test/transcripts/llama-server.json'), `${JSON.stringify(written, null, 1)}\n`);
  } finally {
    await server.stop();
  }
});
