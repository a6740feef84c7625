#!/usr/bin/env node
// Writes down what a real server with the demo pair's base says to our questions: test/transcripts, which
// test/remote-transcripts.test.ts reads.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { protocols } from '../dist/remote/protocols.js';
import { BuildError, runMain } from '../scripts/lib/errors.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';
import { isBuilt } from './rivals/binaries.mjs';
import { startServer } from './rivals/server.mjs';

const help = `Writes down what a server with models/demo/base.gguf says: test/transcripts/API.json.

Usage: node bench/record-server.mjs                                        # llama-server, which it starts (npm run bench:rivals)
       node bench/record-server.mjs --url URL --api vllm|sglang --server "vLLM 0.32.0"    # one that runs (docs/remote.md)
`;

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
  const text = /** @type {const} */ ({ type: 'string' });
  const { values } = parseArgs({ options: { url: text, api: text, server: text, help: { type: 'boolean' } } });
  if (values.help) return void process.stdout.write(help);
  if (values.url !== undefined) {
    const { url, api = '', server } = values;
    if ((api !== 'vllm' && api !== 'sglang') || server === undefined) throw new BuildError(`--url goes with --api and --server\n\n${help}`);
    return record(url.replace(/\/$/, ''), api, server);
  }
  if (!isBuilt('llama-server')) throw new BuildError('llama-server is not built: npm run bench:rivals');
  const server = await startServer(inRoot(model), 512, 1, 2);
  try {
    const { tag } = JSON.parse(readFileSync(inRoot('vendor/llama.cpp.json'), 'utf8'));
    await record(server.url, 'llama-server', `llama-server of llama.cpp ${tag}`);
  } finally {
    await server.stop();
  }
});

/** @param {string} url @param {import('../dist/index.js').RemoteModel['api']} api @param {string} server and its version */
async function record(url, api, server) {
  const protocol = protocols[api];
  /** @param {import('../lib/remote/protocol.ts').Sent} sent */
  const post = async ({ path, body }) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    const said = (await response.text()).replaceAll(inRoot(model), model);
    if (!response.ok) throw new BuildError(`${path} of ${url} answers with ${response.status}: ${said.slice(0, 300)}`);
    return { type: response.headers.get('content-type'), text: said };
  };
  const about = await Promise.all(protocol.about.map(async (path) => (await fetch(url + path)).json()));
  const { context, vocabulary, models = [] } = protocol.facts(about);
  const servedAs = api === 'vllm' ? models[0] : undefined;
  /** @param {string} said @returns {Promise<number[]>} */
  const tokenize = async (said) => protocol.tokens(JSON.parse((await post(protocol.tokenize(said, servedAs))).text));
  const exchanges = [];
  for (const { behind, ...rest } of asked) {
    const question = { tokens: await tokenize(probe + behind), ...rest };
    const sent = protocol.ask(question, servedAs);
    exchanges.push({ question, sent, answer: await post(sent) });
  }
  const written = { server, model, servedAs, context, vocabulary, probe, tokens: await tokenize(probe), exchanges };
  writeFileSync(inRoot(`test/transcripts/${api}.json`), `${JSON.stringify(written, null, 1)}\n`);
}
