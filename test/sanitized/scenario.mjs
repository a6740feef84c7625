// What a service does to the engine, in a plain process: a test runner under a thread sanitizer drowns in reports about itself.
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { Nudging } from '../../dist/index.js';

const questions = [
  'What is a harbor?',
  'What is a blur?',
  'What is a lat?',
  'Take the last letters of "Edith" and "Liam" and concatenate them.',
  'Tell me',
];

/** @param {Nudging} engine */
async function serve(engine) {
  return Promise.all(
    questions.map(async (question, at) => {
      const controller = new AbortController();
      const stream = engine.stream(question, {
        signal: controller.signal,
        speculation: at % 2 ? 3 : true,
        trace: 'full',
        stop: ['zzz'],
        temperature: at % 3 ? 0 : 1,
        topP: 0.9,
      });
      let seen = 0;
      for await (const piece of stream) {
        seen += piece.text.length;
        if (at === 1 && seen > 20) controller.abort();
        if (at === 2 && seen > 20) break;
      }
      return (await stream.answer).stopReason;
    }),
  );
}

if (!isMainThread) {
  const engine = await Nudging.load();
  await serve(engine);
  parentPort?.postMessage('served');
  // Terminated while this runs.
  for (;;) await serve(engine);
}

// Two engines share the models: one of them waits while the other loads, and both answer from the same weights at the same time.
const [wide, narrow] = await Promise.all([
  Nudging.load({ parallel: 3, threads: 2, onProgress: () => {} }),
  Nudging.load({ context: 200, batch: 8, parallel: 2, kvCache: 'q8_0', overlap: true }),
]);
console.log(...(await Promise.all([serve(wide), serve(narrow)])).flat());
// Readers that stop leave their places to others, are wanted again, run out of time, or are never heard of again.
const slow = [0, 1, 2, 3].map((at) =>
  narrow.stream(questions[at] ?? '', { mode: 'base', stop: [], maxTokens: 60, highWaterMark: 1, ...(at === 2 ? { timeout: 40 } : {}) }),
);
for (const stream of slow) await stream.next();
console.log(...(await serve(narrow)));
for (const stream of slow.slice(0, 2)) for await (const _ of stream);
await narrow.generate('harbor '.repeat(500)).catch((/** @type {Error} */ error) => console.log(error.name));
await narrow.generate('x', { alignedPrompt: '{% for %}' }).catch((/** @type {Error} */ error) => console.log(error.name));
await Nudging.load({ base: 'no.gguf', aligned: 'no.gguf' }).catch((/** @type {Error} */ error) => console.log(error.name));
const running = wide.generate('What is a harbor?');
await Promise.all([wide.close(), wide.close(), running]);

const worker = new Worker(new URL(import.meta.url));
await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
await worker.terminate();

// ASan and UBSan end the engine's process with their report, and so reject its requests. TSan's reports from there are not seen.
const isolated = await Nudging.load({ isolate: true, parallel: 2 });
console.log(...(await serve(isolated)));
await isolated.close();

const abandoned = await Nudging.load();
abandoned.stream('What is a harbor?', { mode: 'base' });
console.log('done');
process.exit(0);
