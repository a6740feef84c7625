// What a user's program may say, and what it may not. test/types.test.ts has it compiled as an ES module and as CommonJS.
import { AnswerStream, Nudging, NudgingError, type defaults, demoPair, observe, pull, readPair, replay } from 'nudging';
import type { Answer, ErrorCode, GenerateOptions, LoadOptions, ModelInfo, Pair, Piece, Replayed } from 'nudging';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only if the type is `true`, so not for what is `any` because it was not found. */
declare function must<T extends true>(holds?: T): void;

export async function ask(options: LoadOptions): Promise<string> {
  const nudging = await Nudging.load({ ...options, gamma: 0.3, gpuLayers: { base: 'auto' } });
  must<Same<typeof nudging, Nudging>>();
  must<Same<typeof nudging.models.base, ModelInfo>>();

  const stream = nudging.stream('a question', { seed: 1 } satisfies GenerateOptions);
  must<Same<typeof stream, AnswerStream>>();
  for await (const piece of stream) must<Same<typeof piece, Piece>>();
  must<Same<Awaited<typeof stream.answer>, Answer>>();

  const step = await nudging.stream([{ role: 'user', content: 'a question' }]).next();
  if (step.done) must<Same<typeof step.value, Answer>>();
  else must<Same<typeof step.value, Piece>>();

  await stream[Symbol.asyncDispose]();
  await nudging[Symbol.asyncDispose]();

  const traced = await nudging.generate('a question', { trace: 'full', rule: { name: 'bet', lambda: 0.1 } });
  const replayed = replay(traced, { rule: 'hybrid', gamma: 0.3 });
  must<Same<typeof replayed, Replayed>>();

  // @ts-expect-error of another rule
  await nudging.generate('a question', { rule: { name: 'bet', low: 0.1 } });
  // @ts-expect-error a number, or nothing
  await nudging.generate('a question', { gamma: 'low' });
  // @ts-expect-error made by `load` alone
  new Nudging();
  // @ts-expect-error no such option
  await Nudging.load({ contexts: 1 });

  return (await nudging.generate('a question')).text;
}

export async function* passOn(stream: AnswerStream): AsyncGenerator<Piece, Answer> {
  yield* stream;
  return stream.answer;
}

export class OwnError extends NudgingError {}

export function codeOf(error: unknown): ErrorCode | undefined {
  if (error instanceof AnswerStream) return undefined;
  return error instanceof NudgingError ? error.code : undefined;
}

must<Same<typeof defaults.gamma, 0.4>>();
export const pair: Promise<Pair> = readPair(demoPair);
export const pulled: Promise<string[]> = pull('hf:owner/repo', { onProgress: ({ file, fraction }) => void [file, fraction] }).then(
  ({ paths }) => paths,
);
export const end: () => void = observe('nudging:request:end', ({ answer, error }) => void [answer?.stats.nudgeRatio, error]);
// @ts-expect-error no such channel
observe('nudging:request:middle', () => {});
