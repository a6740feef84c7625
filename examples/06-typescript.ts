// A chat with two turns, and every error told by its code. Run it with Node.js 24, which strips the types: node examples/06-typescript.ts
import { Nudging, NudgingError, type Answer, type ChatMessage, type GenerateOptions } from 'nudging';

const options: GenerateOptions = { temperature: 0.5, topP: 0.9, seed: 7, maxTokens: 64 };
const messages: ChatMessage[] = [];
const nudging = await Nudging.load();

async function say(content: string): Promise<Answer> {
  messages.push({ role: 'user', content });
  const answer = await nudging.generate(messages, options);
  messages.push({ role: 'assistant', content: answer.text });
  return answer;
}

try {
  for (const question of ['What is a harbor?', 'What is a sculpture?']) {
    const { text, seed } = await say(question);
    console.log(`${question} ${text} (seed ${seed})`);
  }
  await nudging.generate('What is a harbor?', { gamma: 3 });
} catch (error) {
  if (!(error instanceof NudgingError)) throw error;
  console.log(`${error.code}: ${error.option} was ${error.value}`);
} finally {
  await nudging.close();
}
