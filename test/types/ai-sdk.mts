// A program that uses the AI SDK. test/types.test.ts has it compiled with both majors of `ai`.
import { generateText, streamText, type LanguageModel } from 'ai';
import { Nudging } from 'nudging';
import { createNudging, type DeltaMetadata, type NudgingProvider, type NudgingSettings } from 'nudging/ai-sdk';

const settings: NudgingSettings = { gamma: 0.3, rule: 'bet', thinking: true };
// @ts-expect-error the SDK has a name of its own for it
export const wrong: NudgingSettings = { maxTokens: 3 };

const nudging: NudgingProvider = createNudging({ small: await Nudging.load() });
export const model: LanguageModel = nudging('small', settings);
const { text } = await generateText({ model, prompt: 'a question' });
export const wrote: boolean[] = [];
for await (const part of streamText({ model: nudging.languageModel('small'), prompt: text }).fullStream) {
  const { nudging } = (part.type === 'text-delta' && part.providerMetadata) || {};
  if (nudging) wrote.push((nudging as DeltaMetadata).nudged);
}
// @ts-expect-error neither an engine nor several
createNudging('base.gguf');
