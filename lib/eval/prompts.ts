import type { Nudging } from '../engine.ts';
import { NudgingError } from '../errors.ts';
import type { ChatMessage, GenerateOptions, Input } from '../types.ts';
import type { Question, Task } from './task.ts';
import type { System } from './systems.ts';

/**
 * Whose prompts. `paper`: the authors' system text and prefix in both models' prompts, and nothing but a new line behind the question in
 * the base's. `pair`: the question alone, in the prompts that the pair was made for.
 */
export type PromptStyle = 'paper' | 'pair';

/**
 * Where the system text stands in the aligned model's prompt: in a message of its own, or in front of the question as its template has
 * none.
 */
export type SystemPlace = 'message' | 'question';

/**
 * Asks the aligned model's template whether it takes a system message. The authors put the text before the question for those that do not.
 * Some templates refuse one, and some leave it out without a word: then a long one makes no longer prompt than a short one.
 */
export async function systemPlaceOf(nudging: Nudging): Promise<SystemPlace> {
  const tokens = (system: string) => {
    const messages: ChatMessage[] = [
      { role: 'system', content: system },
      { role: 'user', content: 'Hello' },
    ];
    return nudging.countTokens({ messages }, { lane: 'aligned' });
  };
  try {
    const [short, long] = await Promise.all([tokens('Be brief.'), tokens('Be brief, and then be brief again, and after that as before.')]);
    return long > short ? 'message' : 'question';
  } catch (error) {
    if (error instanceof NudgingError && error.code === 'ERR_TEMPLATE_FAILED') return 'question';
    throw error;
  }
}

/** What one system is asked for one question. */
export function inputFor(
  { system: instruction, prefix }: Task,
  { context = '', input }: Question,
  { options }: System,
  style: PromptStyle,
  place: SystemPlace,
): Input {
  if (style === 'pair') return { messages: [{ role: 'user', content: context + input }] };
  const question = context + prefix + input;
  const [messages, basePrompt]: [ChatMessage[], string] =
    place === 'message'
      ? [
          [
            { role: 'system', content: instruction },
            { role: 'user', content: question },
          ],
          `${instruction}\n{question}\n`,
        ]
      : [[{ role: 'user', content: `${instruction}\n${question}` }], '{question}\n'];
  // The prefix is part of the question, and the authors' prompts are quoted nowhere.
  return { messages, basePrompt, sealBasePrompt: false, ...stopFor(options, prefix.trim()) };
}

/** A base alone goes on to the next question. The template does not tell where that begins, because the prefix is part of the question. */
function stopFor({ mode, stop }: GenerateOptions, marker: string): Pick<GenerateOptions, 'stop'> {
  return mode === 'base' && stop === undefined ? { stop: [`\n\n${marker}`, `\n${marker}`] } : {};
}
