import { randomUUID } from 'node:crypto';
import { flag, integer } from '../options.ts';
import type { Answer, GenerateOptions, Mode, Piece } from '../types.ts';
import { field, fieldsOf, invalid, refuseImpossible, unsupported } from './fields.ts';
import type { Arrival, Wish } from './generation.ts';
import { chatLogprobs, mustKnowProbabilities, tokensOf } from './logprobs.ts';
import { messagesOf } from './messages.ts';
import type { Limits } from './options.ts';
import { finishReason, ofAnswer, ofPiece } from './ours.ts';
import type { Route, Wanted } from './route.ts';
import { ofChoice, settingsOf, tellingOf, type Telling } from './settings.ts';
import { frame } from './sse.ts';
import { usageOf } from './usage.ts';

/** `POST /v1/chat/completions`. */
export const chat: Route = {
  name: '/v1/chat/completions',
  read(body: unknown, limits: Limits, mode?: Mode): Wanted {
    const fields = fieldsOf(body);
    refuseImpossible(fields);
    const telling = tellingOf(fields, limits);
    const messages = messagesOf(fields['messages']);
    const settings = settingsOf(fields, limits, ['max_completion_tokens', 'max_tokens']);
    const last = messages.at(-1);
    if (last?.role !== 'user' && !(settings.prefill === true && last?.role === 'assistant'))
      throw invalid('messages', last?.role, "ended by the user's message, or by the assistant's with `continue_final_message: true`");
    const options: GenerateOptions = mode === undefined ? settings : { mode, ...settings };
    const top = topOf(fields);
    const wanted = field<boolean>(fields, 'logprobs', flag) === true;
    return {
      telling,
      wishes: (defaults) => {
        if (wanted) mustKnowProbabilities({ ...defaults, ...options });
        const traced: GenerateOptions = wanted ? { ...options, trace: 'full' } : options;
        return Array.from({ length: telling.choices }, (_, choice): Wish => ({ input: messages, options: ofChoice(traced, choice) }));
      },
      shape: (about) => new ChatShape({ ...about, telling, mode: options.mode ?? about.mode, logprobs: wanted ? top : undefined }),
    };
  },
};

/** How many of the likeliest tokens are to be listed. */
function topOf(fields: Readonly<Record<string, unknown>>): number {
  const top = field<number>(fields, 'top_logprobs', integer(0, 20)) ?? 0;
  if (top > 1) throw unsupported('top_logprobs', 'the likeliest token is known at each place, and no others; ask for at most 1');
  return top;
}

/** What the aligned model said when the guard asked it. */
const refusalOf = ({ refusal }: Answer): { refusal?: string } => (refusal === undefined ? {} : { refusal });

interface About {
  model: string;
  mode: Mode | undefined;
  telling: Telling;
  logprobs: number | undefined;
}

class ChatShape {
  readonly #about: About;
  readonly #head: { id: string; created: number; model: string };
  readonly #begun = new Set<number>();

  constructor(about: About) {
    this.#about = about;
    this.#head = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model: about.model };
  }

  whole(answers: readonly Answer[]): object {
    const { mode, telling } = this.#about;
    return {
      ...this.#head,
      object: 'chat.completion',
      choices: answers.map((answer, index) => ({
        index,
        message: {
          role: 'assistant',
          content: answer.text,
          refusal: null,
          ...refusalOf(answer),
          ...(answer.thinking ? { reasoning_content: answer.thinking } : {}),
        },
        logprobs: this.#logprobs(answer),
        finish_reason: finishReason(answer.stopReason),
        nudging: ofAnswer(answer, telling.trace),
      })),
      usage: usageOf(answers, mode, answers.length),
    };
  }

  frameOf(arrival: Arrival): string {
    return 'piece' in arrival
      ? this.#chunk(arrival.index, this.#delta(arrival.index, arrival.piece), { nudging: ofPiece(arrival.piece) })
      : this.#chunk(
          arrival.index,
          { ...this.#delta(arrival.index), ...refusalOf(arrival.answer) },
          {
            logprobs: this.#logprobs(arrival.answer),
            finish_reason: finishReason(arrival.answer.stopReason),
            nudging: ofAnswer(arrival.answer, this.#about.telling.trace),
          },
        );
  }

  /** Behind the last answer. */
  closing(answers: readonly Answer[]): string {
    const { telling, mode } = this.#about;
    if (!telling.usage) return '';
    return frame({ ...this.#head, object: 'chat.completion.chunk', choices: [], usage: usageOf(answers, mode, answers.length) });
  }

  #delta(index: number, piece?: Piece): object {
    // The first one says who speaks.
    const role = this.#begun.has(index) ? {} : { role: 'assistant' };
    this.#begun.add(index);
    if (!piece) return 'role' in role ? { ...role, content: '' } : {};
    return { ...role, ...(piece.thinking ? { reasoning_content: piece.text } : { content: piece.text }) };
  }

  #chunk(index: number, delta: object, more: object): string {
    return frame({
      ...this.#head,
      object: 'chat.completion.chunk',
      choices: [{ index, delta, logprobs: null, finish_reason: null, ...more }],
      ...(this.#about.telling.usage ? { usage: null } : {}),
    });
  }

  #logprobs(answer: Answer): object | null {
    const { logprobs, mode } = this.#about;
    return logprobs === undefined ? null : chatLogprobs(tokensOf(answer, mode), logprobs);
  }
}
