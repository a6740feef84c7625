// A question, and who said what. Run it: node examples/01-first-answer.mjs "What is a harbor?"
import { Nudging } from 'nudging';

const question = process.argv[2] ?? 'What is a harbor?';
// Without arguments this is the demo pair; with { base: 'base.gguf', aligned: 'aligned.gguf' } it is yours.
const nudging = await Nudging.load();
try {
  const answer = await nudging.generate(question);
  console.log(answer.text);
  console.log(`${answer.stats.nudgedTokens} of ${answer.stats.tokens} tokens came from the aligned model; ended with ${answer.stopReason}`);
} finally {
  await nudging.close();
}
