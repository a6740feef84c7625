import { throwIfAborted } from '../abort.ts';
import type { Nudging } from '../engine.ts';
import type { Answer } from '../types.ts';
import { answerMetadata, contentOf, finishReasonOf, usageOf } from './answers.ts';
import { asSdkError } from './errors.ts';
import { messagesOf } from './messages.ts';
import { partsOf, streamOf } from './parts.ts';
import { settingsOf, type NudgingSettings } from './settings.ts';
import type { CallOptions, GenerateResult, LanguageModelV3, StreamResult } from './specification.ts';

/** A loaded pair as a language model of the AI SDK, in this process. Made by {@link NudgingProvider}. */
export class NudgingLanguageModel implements LanguageModelV3 {
  readonly specificationVersion = 'v3';
  readonly provider = 'nudging';
  readonly modelId: string;
  /** None: what is behind an address is not fetched. */
  readonly supportedUrls: Record<string, RegExp[]> = {};
  readonly #engine: Nudging;
  readonly #settings: NudgingSettings;

  /** @internal */
  constructor(modelId: string, engine: Nudging, settings: NudgingSettings) {
    this.modelId = modelId;
    this.#engine = engine;
    this.#settings = settings;
  }

  /**
   * Called by `generateText`.
   *
   * @throws NudgingError as {@link Nudging.generate}; APICallError, retryable, in place of ERR_BUSY and ERR_ENGINE_CRASHED;
   *   UnsupportedFunctionalityError for files and calls of tools among the messages; the signal's reason once it is aborted
   */
  async doGenerate(call: CallOptions): Promise<GenerateResult> {
    const { messages, options, warnings, mustNotBeAborted } = this.#read(call);
    const answer = await this.#engine.generate(messages, options).catch((error: unknown) => {
      throw asSdkError(error, this.modelId);
    });
    mustNotBeAborted(answer);
    return {
      content: contentOf(answer),
      finishReason: finishReasonOf(answer),
      usage: usageOf(answer),
      providerMetadata: answerMetadata(answer, { streamed: false }),
      response: { modelId: this.modelId, timestamp: new Date() },
      warnings,
    };
  }

  /**
   * Called by `streamText`. Resolves with the first piece of the answer, so that whatever fails before it can be tried again; what fails
   * later is a part of the stream.
   *
   * @throws as {@link doGenerate}
   */
  async doStream(call: CallOptions): Promise<StreamResult> {
    const { messages, options, warnings, mustNotBeAborted } = this.#read(call);
    try {
      const pieces = this.#engine.stream(messages, options);
      const first = await pieces.next();
      if (first.done) mustNotBeAborted(first.value);
      const raw = call.includeRawChunks === true;
      const parts = partsOf({ modelId: this.modelId, warnings, pieces, first, raw, mustNotBeAborted });
      return { stream: streamOf(parts, () => pieces.return()) };
    } catch (error) {
      throw asSdkError(error, this.modelId);
    }
  }

  #read(call: CallOptions) {
    const { abortSignal } = call;
    throwIfAborted(abortSignal);
    const mustNotBeAborted = ({ stopReason }: Answer) => {
      if (stopReason === 'aborted') throwIfAborted(abortSignal);
    };
    return { messages: messagesOf(call.prompt), ...settingsOf(call, this.#settings), mustNotBeAborted };
  }
}
