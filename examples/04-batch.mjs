// Many questions at once: the engine decodes some of them together, and the others wait. Run it: node examples/04-batch.mjs
import { Nudging, NudgingError } from 'nudging';

const questions = ['What is a harbor?', 'What is a sculpture?', '', 'What is a blur?', 'What is a tragedy?'];
const nudging = await Nudging.load({ parallel: 4 });
try {
  // All are given to the engine now; answers come back in the order of the questions. More than `maxQueue` (1024) need a loop around this.
  const lines = await Promise.all(questions.map(answerOf));
  lines.forEach((line, index) => console.log(`${index + 1}. ${line}`));
} finally {
  await nudging.close();
}

/** A question that cannot be answered must not take the others' answers along. @param {string} question */
async function answerOf(question) {
  try {
    return (await nudging.generate(question)).text;
  } catch (error) {
    if (error instanceof NudgingError) return error.code;
    throw error;
  }
}
