// A program with an engine, told what to do by lines of JSON on stdin, which it answers in order: { load: options }, { ask: options }.
import { createInterface } from 'node:readline';
import { Nudging } from '../../dist/index.js';

/** @type {Nudging | undefined} */
let engine;

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  const began = performance.now();
  const told = await obey(order).catch((error) => ({ code: error.code, message: error.message }));
  process.stdout.write(`${JSON.stringify({ ...told, ms: performance.now() - began })}\n`);
}

/** @param {{ load?: import('../../dist/index.js').LoadOptions, ask?: import('../../dist/index.js').GenerateOptions }} order */
async function obey({ load, ask }) {
  if (load) {
    await engine?.close();
    engine = await Nudging.load(load);
    return { devices: engine.models.base.devices };
  }
  if (!engine) throw new Error('nothing is loaded');
  const stream = engine.stream('What is a harbor?', ask);
  let begun = false;
  for await (const piece of stream) {
    if (begun || piece.text === '') continue;
    begun = true;
    process.stdout.write(`${JSON.stringify({ begun })}\n`);
  }
  const { text, stats, ties } = await stream.answer;
  return { text, tokens: stats.tokens, ties };
}
