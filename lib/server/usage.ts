import type { Answer, LaneStats, Mode } from '../types.ts';

/** OpenAI's count of tokens. */
export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number };
  completion_tokens_details: { nudged_tokens: number };
}

/**
 * What answers took. The prompt is the base's, or that of the one model that answers; several answers to one prompt count it once.
 *
 * @param perPrompt how many answers each prompt has
 */
export function usageOf(answers: readonly Answer[], mode: Mode | undefined, perPrompt = 1): Usage {
  const prompts = answers.filter((_, index) => index % perPrompt === 0).map((answer) => promptLane(answer, mode));
  const sum = (numbers: number[]) => numbers.reduce((total, each) => total + each, 0);
  const prompt = sum(prompts.map(({ promptTokens }) => promptTokens));
  const completion = sum(answers.map(({ stats }) => stats.tokens));
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: sum(prompts.map(({ cachedPromptTokens }) => cachedPromptTokens)) },
    completion_tokens_details: { nudged_tokens: sum(answers.map(({ stats }) => stats.nudgedTokens)) },
  };
}

function promptLane({ stats: { base, aligned } }: Answer, mode: Mode | undefined): LaneStats {
  return mode === 'aligned' ? aligned : base;
}
