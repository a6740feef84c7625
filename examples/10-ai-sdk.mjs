// A pair as a model of the AI SDK (npm i ai), without a server: docs/ai-sdk.md. Run it: node examples/10-ai-sdk.mjs
import { generateText, streamText } from 'ai';
import { Nudging } from 'nudging';
import { createNudging } from 'nudging/ai-sdk';

const engine = await Nudging.load();
const nudging = createNudging(engine);
try {
  const { text, usage } = await generateText({ model: nudging(), prompt: 'What is a harbor?' });
  console.log(`${text} (${usage.inputTokens} tokens in, ${usage.outputTokens} out)`);

  // Whose each piece is; settings that the SDK has no name for.
  const settings = { nudging: { gamma: 0.3 } };
  const { fullStream } = streamText({ model: nudging(), prompt: 'What is a sculpture?', providerOptions: settings });
  for await (const part of fullStream) {
    if (part.type === 'error') throw part.error;
    if (part.type === 'text-delta') process.stdout.write(part.providerMetadata?.['nudging']?.['nudged'] ? `[${part.text}]` : part.text);
  }
  process.stdout.write('\n');
} finally {
  await engine.close();
}
