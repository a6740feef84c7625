import type { LanguageModel } from 'ai';

/**
 * The AI SDK's interface of a language model, as `ai` itself declares it. Version 3 of it is what `ai` 6 takes; `ai` 7 takes it too, beside
 * its own version 4, which differs only in what this package does not do (files, tools).
 */
export type LanguageModelV3 = Extract<LanguageModel, { specificationVersion: 'v3' }>;

/** What a call asks for. `reasoning` is of `ai` 7, which hands it to models of version 3 as well. */
export type CallOptions = Parameters<LanguageModelV3['doGenerate']>[0] & { reasoning?: string };

export type GenerateResult = Awaited<ReturnType<LanguageModelV3['doGenerate']>>;
export type StreamResult = Awaited<ReturnType<LanguageModelV3['doStream']>>;
export type StreamPart = StreamResult['stream'] extends ReadableStream<infer Part> ? Part : never;
export type Prompt = CallOptions['prompt'];
export type Warning = GenerateResult['warnings'][number];
export type Usage = GenerateResult['usage'];
export type FinishReason = GenerateResult['finishReason'];
export type Content = GenerateResult['content'];
/** By provider; ours is under `nudging`. */
export type ProviderMetadata = NonNullable<GenerateResult['providerMetadata']>;
