import { isGuardFault, readGuard } from './guard.ts';
import type { NativeGuard } from './native.ts';
import { templateVariables } from './template-options.ts';
import type { GenerateOptions } from './types.ts';

/** What the native engine is told of a guard that was checked before; undefined: there is none. */
export function nativeGuard({ guard, templateOptions }: Pick<GenerateOptions, 'guard' | 'templateOptions'>): NativeGuard | undefined {
  const resolved = readGuard(guard);
  if (resolved === undefined || isGuardFault(resolved)) return undefined;
  // A model that thinks before it refuses would not come to it within a few tokens.
  const variables = templateOptions === undefined ? '' : templateVariables({ ...templateOptions, enable_thinking: false });
  return { every: resolved.every, tokens: resolved.tokens, phrases: [...resolved.phrases], ask: resolved.ask, variables };
}
