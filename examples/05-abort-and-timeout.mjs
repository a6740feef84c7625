// Three ways to end an answer early; each gives what there is. Run it: node examples/05-abort-and-timeout.mjs
import { Nudging } from 'nudging';

const question = 'What is a harbor?';
const nudging = await Nudging.load();
try {
  // A limit in milliseconds, waiting for a place included.
  const late = await nudging.generate(question, { timeout: 1 });
  console.log(`${late.stopReason} after ${late.stats.tokens} tokens`);

  // A signal, as everywhere in Node.js; here the user had enough after the first words.
  const enough = new AbortController();
  const stream = nudging.stream(question, { signal: enough.signal });
  for await (const piece of stream) if (piece.source === 'base') enough.abort();
  const aborted = await stream.answer;
  console.log(`${aborted.stopReason}: ${aborted.text}`);

  // Leaving the loop.
  const left = nudging.stream(question);
  for await (const piece of left) {
    console.log(`the first piece: ${piece.text}`);
    break;
  }
  console.log(`then ${(await left.answer).stopReason}`);
} finally {
  await nudging.close();
}
