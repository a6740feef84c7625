import type { Nudging } from '../engine.ts';
import type { AbortSignalLike, GenerateOptions, LaneName } from '../types.ts';
import { ApiError } from './api-error.ts';
import type { Wish } from './generation.ts';

/**
 * Refuses what the engine would refuse when a place is free. It does not look at requests that wait, and who has got a first byte cannot be
 * told of a status any more.
 *
 * @throws ApiError 400; what the engine says of the prompts otherwise
 */
export async function checkLengths(engine: Nudging, wishes: readonly Wish[], signal: AbortSignalLike): Promise<void> {
  // Then the oldest turns of what is too long are left out.
  if (engine.settings.fit !== undefined) return;
  const seen = new Set<unknown>();
  for (const { input, options } of wishes) {
    if (seen.has(input)) continue;
    seen.add(input);
    for (const lane of lanesOf({ ...engine.settings, ...options })) {
      const tokens = await engine.countTokens(input, { ...options, lane, signal });
      const { context } = engine.models[lane];
      if (tokens <= context) continue;
      const message = `the ${lane} prompt has ${tokens} tokens, and the context ${context}: shorten it`;
      throw new ApiError(400, 'context_length_exceeded', message, { param: 'messages' });
    }
  }
}

function lanesOf({ mode }: GenerateOptions): LaneName[] {
  if (mode === 'aligned') return ['aligned'];
  return mode === 'base' || mode === 'in-context' ? ['base'] : ['base', 'aligned'];
}
