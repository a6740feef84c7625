import type { Answer } from '../../../lib/index.ts';

/** Which part of its prompt each model that was asked at all found in its cache. */
export function kept({ stats }: Answer): number[] {
  const asked = [stats.base, stats.aligned].filter(({ questions }) => questions > 0);
  return asked.map(({ cachedPromptTokens, promptTokens }) => cachedPromptTokens / promptTokens);
}
