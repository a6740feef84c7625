/**
 * Loaded pairs as a provider of the AI SDK (docs/ai-sdk.md).
 *
 * @module nudging/ai-sdk
 */

export type { DeltaMetadata } from './answers.ts';
export type { NudgingLanguageModel } from './model.ts';
export { createNudging, type NudgingProvider } from './provider.ts';
export type { NudgingSettings } from './settings.ts';
