import { randomUUID } from 'node:crypto';
import type { Nudging } from '../engine.ts';
import { flag, integer } from '../options.ts';
import type { AbortSignalLike, Answer, GenerateOptions, Input, LaneName, Mode } from '../types.ts';
import { field, fieldsOf, invalid, refuseImpossible, unsupported } from './fields.ts';
import type { Arrival } from './generation.ts';
import { completionLogprobs, mustKnowProbabilities, tokensOf, tokensOfPrompt, type SpokenToken } from './logprobs.ts';
import type { Limits } from './options.ts';
import { finishReason, ofAnswer, ofPiece } from './ours.ts';
import type { Route, Wanted } from './route.ts';
import { ofChoice, settingsOf, tellingOf, type Telling } from './settings.ts';
import { frame } from './sse.ts';
import { usageOf } from './usage.ts';

/** `POST /v1/completions`: texts to go on with. Both models see the text as it is, and nothing in it is a control token. */
export const completions: Route = {
  name: '/v1/completions',
  read(body: unknown, limits: Limits, mode?: Mode): Wanted {
    const fields = fieldsOf(body);
    refuseImpossible(fields);
    const telling = tellingOf(fields, limits);
    const prompts = promptsOf(fields['prompt'], limits);
    const settings = settingsOf(fields, limits, ['max_tokens', 'max_completion_tokens']);
    const options: GenerateOptions = mode === undefined ? settings : { mode, ...settings };
    const logprobs = field<number>(fields, 'logprobs', integer(0, 5));
    if ((logprobs ?? 0) > 1) throw unsupported('logprobs', 'the likeliest token is known at each place, and no others; ask for at most 1');
    const echo = field<boolean>(fields, 'echo', flag) ?? false;
    if (prompts.length * telling.choices > limits.mostChoices)
      throw invalid('prompt', prompts.length, `at most ${limits.mostChoices} answers (prompts × \`n\`) in one request`);
    return {
      telling,
      prepare: async (engine, signal) => {
        if (!echo || logprobs === undefined) return undefined;
        const lane = laneOf(options.mode ?? engine.settings.mode);
        const scored: SpokenToken[][] = [];
        for (const prompt of prompts) scored.push(await scoresOf(engine, lane, prompt, signal));
        return scored;
      },
      wishes: (defaults) => {
        if (logprobs !== undefined) mustKnowProbabilities({ ...defaults, ...options });
        const traced: GenerateOptions = logprobs === undefined ? options : { ...options, trace: 'full' };
        return prompts.flatMap((prompt) =>
          Array.from({ length: telling.choices }, (_, choice) => ({ input: inputOf(prompt), options: ofChoice(traced, choice) })),
        );
      },
      shape: ({ model, mode: usual, prepared }) =>
        new CompletionShape({
          model,
          mode: options.mode ?? usual,
          telling,
          logprobs,
          echoed: echo ? prompts : undefined,
          scored: prepared as SpokenToken[][] | undefined,
        }),
    };
  },
};

/** @throws ApiError 400 */
function laneOf(mode: Mode = 'nudge'): LaneName {
  if (mode === 'base' || mode === 'aligned') return mode;
  throw unsupported(
    'echo',
    'with `logprobs` where two models answer: how probable a text is, each says for itself; ask NAME:base or NAME:aligned',
  );
}

/** How probable a model finds a prompt, token by token. */
async function scoresOf(engine: Nudging, lane: LaneName, prompt: string, signal: AbortSignalLike): Promise<SpokenToken[]> {
  const inspected = await engine.inspect({ lane, input: inputOf(prompt), scores: true, signal });
  const [first = 0] = inspected.context;
  return tokensOfPrompt(inspected, await engine.detokenize([first], { lane, signal }), lane === 'aligned');
}

function inputOf(prompt: string): Input {
  const raw = [{ text: prompt, special: false }];
  return { base: raw, aligned: raw };
}

function promptsOf(prompt: unknown, { mostChoices }: Limits): string[] {
  const prompts = typeof prompt === 'string' ? [prompt] : prompt;
  if (!Array.isArray(prompts) || prompts.length === 0) throw invalid('prompt', prompt, 'a string or a non-empty array of strings');
  if (prompts.some((each) => typeof each === 'number' || Array.isArray(each)))
    throw unsupported('prompt', 'as token ids: the two models may have two vocabularies; send text');
  if (prompts.length > mostChoices) throw invalid('prompt', prompts.length, `at most ${mostChoices} texts in one request`);
  for (const each of prompts) if (typeof each !== 'string' || each === '') throw invalid('prompt', each, 'made of non-empty strings');
  return prompts as string[];
}

interface About {
  model: string;
  mode: Mode | undefined;
  telling: Telling;
  logprobs: number | undefined;
  /** Prompts that the answers are to begin with. */
  echoed: readonly string[] | undefined;
  /** Their tokens, where they are to be judged. */
  scored: readonly SpokenToken[][] | undefined;
}

class CompletionShape {
  readonly #about: About;
  readonly #head: { id: string; object: string; created: number; model: string };
  readonly #begun = new Set<number>();

  constructor(about: About) {
    this.#about = about;
    this.#head = { id: `cmpl-${randomUUID()}`, object: 'text_completion', created: Math.floor(Date.now() / 1000), model: about.model };
  }

  whole(answers: readonly Answer[]): object {
    const { mode, telling } = this.#about;
    return {
      ...this.#head,
      choices: answers.map((answer, index) => ({
        index,
        text: this.#echo(index) + answer.text,
        logprobs: this.#logprobs(answer, index),
        finish_reason: finishReason(answer.stopReason),
        nudging: ofAnswer(answer, telling.trace),
      })),
      usage: usageOf(answers, mode, telling.choices),
    };
  }

  frameOf(arrival: Arrival): string {
    const { index } = arrival;
    if ('piece' in arrival) return this.#chunk({ index, text: this.#echo(index) + arrival.piece.text, nudging: ofPiece(arrival.piece) });
    return this.#chunk({
      index,
      text: this.#echo(index),
      logprobs: this.#logprobs(arrival.answer, index),
      finish_reason: finishReason(arrival.answer.stopReason),
      nudging: ofAnswer(arrival.answer, this.#about.telling.trace),
    });
  }

  closing(answers: readonly Answer[]): string {
    const { telling, mode } = this.#about;
    return telling.usage ? frame({ ...this.#head, choices: [], usage: usageOf(answers, mode, telling.choices) }) : '';
  }

  /** The prompt, once for each answer. */
  #echo(index: number): string {
    if (this.#begun.has(index)) return '';
    this.#begun.add(index);
    return this.#about.echoed?.[this.#promptOf(index)] ?? '';
  }

  #promptOf(index: number): number {
    return Math.floor(index / this.#about.telling.choices);
  }

  #chunk(choice: object): string {
    return frame({
      ...this.#head,
      choices: [{ logprobs: null, finish_reason: null, ...choice }],
      ...(this.#about.telling.usage ? { usage: null } : {}),
    });
  }

  #logprobs(answer: Answer, index: number): object | null {
    const { logprobs, mode, scored } = this.#about;
    if (logprobs === undefined) return null;
    return completionLogprobs([...(scored?.[this.#promptOf(index)] ?? []), ...tokensOf(answer, mode)], logprobs);
  }
}
