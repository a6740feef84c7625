// Words as they come, the aligned model's in [brackets]. Run it: node examples/02-streaming.mjs "What is a harbor?"
import { Nudging } from 'nudging';

const question = process.argv[2] ?? 'What is a harbor?';
const nudging = await Nudging.load();
try {
  const stream = nudging.stream(question);
  for await (const { text, source } of stream) process.stdout.write(source === 'nudge' ? `[${text}]` : text);
  // The whole answer is there as well, once the last piece was read.
  const { stats } = await stream.answer;
  console.log(`\nfirst words after ${stats.times.firstPiece.toFixed(0)} ms, all after ${stats.times.total.toFixed(0)} ms`);
} finally {
  await nudging.close();
}
