import { NoSuchModelError } from 'ai';
import type { Nudging } from '../engine.ts';
import { isObject, reject } from '../options.ts';
import { NudgingLanguageModel } from './model.ts';
import { checkSettings, type NudgingSettings } from './settings.ts';

/** The name of the model where there is one engine. */
export const onlyModel = 'pair';

/**
 * Loaded pairs as a provider of the AI SDK. A call of it gives the model of that name, `'pair'` by default.
 *
 * It is a `ProviderV3`, so `createProviderRegistry({ nudging })` takes it.
 */
export interface NudgingProvider {
  (modelId?: string, settings?: NudgingSettings): NudgingLanguageModel;
  readonly specificationVersion: 'v3';
  /** @throws NoSuchModelError if no engine has this name; NudgingError ERR_INVALID_OPTION for wrong settings */
  languageModel(modelId?: string, settings?: NudgingSettings): NudgingLanguageModel;
  /** There are none. @throws NoSuchModelError always */
  embeddingModel(modelId: string): never;
  /** There are none. @throws NoSuchModelError always */
  imageModel(modelId: string): never;
}

/**
 * Makes a provider of engines in this process.
 *
 * ```ts
 * const nudging = createNudging(await Nudging.load());
 * const { text } = await generateText({ model: nudging(), prompt: 'What is a harbor?' });
 * ```
 *
 * @param engines one engine, whose model is called `'pair'`, or several by the names of their models. They stay the caller's, to be closed
 * @throws NudgingError ERR_INVALID_OPTION if `engines` is neither
 */
export function createNudging(engines: Nudging | Readonly<Record<string, Nudging>>): NudgingProvider {
  const named = isEngine(engines) ? { [onlyModel]: engines } : engines;
  if (!isObject(named) || Object.keys(named).length === 0 || !Object.values(named).every(isEngine))
    reject('engines', engines, 'what `Nudging.load` gives, or an object of such engines by name');
  const byName = new Map(Object.entries(named));

  const languageModel = (modelId: string = onlyModel, settings: NudgingSettings = {}) => {
    const engine = byName.get(modelId);
    if (!engine) {
      const there = [...byName.keys()].map((name) => JSON.stringify(name)).join(', ');
      const message = `no engine is called ${JSON.stringify(modelId)}: there is ${there}`;
      throw new NoSuchModelError({ modelId, modelType: 'languageModel', message });
    }
    checkSettings(settings, 'the settings of a model');
    return new NudgingLanguageModel(modelId, engine, { ...settings });
  };
  const missing = (modelType: 'embeddingModel' | 'imageModel') => (modelId: string) => {
    throw new NoSuchModelError({ modelId, modelType });
  };
  return Object.assign((modelId?: string, settings?: NudgingSettings) => languageModel(modelId, settings), {
    specificationVersion: 'v3' as const,
    languageModel,
    embeddingModel: missing('embeddingModel'),
    imageModel: missing('imageModel'),
  });
}

/** By what it can do: a test may put another thing in its place. */
function isEngine(value: unknown): value is Nudging {
  const { generate, stream } = (value ?? {}) as Partial<Nudging>;
  return typeof generate === 'function' && typeof stream === 'function';
}
