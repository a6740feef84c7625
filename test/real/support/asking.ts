import type { Answer, GenerateOptions, Input, Nudging, Piece } from '../../../lib/index.ts';
import { kept } from './kept.ts';

/** A way to have all inputs answered; the answers are in the inputs' order. */
export type Asking = (engine: Nudging, inputs: readonly Input[], options: GenerateOptions) => Promise<Answer[]>;

/** So many at once, and the next so many when all of them have ended: company changes while they run, since they do not end together. */
export const inGroups =
  (size: number): Asking =>
  async (engine, inputs, options) => {
    const answers: Answer[] = [];
    for (let at = 0; at < inputs.length; at += size) {
      answers.push(...(await Promise.all(inputs.slice(at, at + size).map((input) => engine.generate(input, options)))));
    }
    return answers;
  };

/** All are submitted at once; whenever one ends, the next takes its place beside those that are in the middle of theirs. */
export const allAtOnce: Asking = (engine, inputs, options) => Promise.all(inputs.map((input) => engine.generate(input, options)));

/**
 * As streams whose readers stop: each is read a little and loses its place to another question, more than once, so that its context is
 * decoded again in other pieces than before. For an engine with one place.
 */
export const parked: Asking = async (engine, inputs, options) => {
  const answers: Answer[] = [];
  for (const [index, input] of inputs.entries()) {
    const stream = engine.stream(input, { ...options, highWaterMark: 2 });
    const pieces: Piece[] = [];
    for (let pause = 0; pause < 3; pause += 1) {
      for (let read = 0; read < 4; read += 1) {
        const next = await stream.next();
        if (!next.done) pieces.push(next.value);
      }
      await engine.generate(inputs[(index + 1) % inputs.length] as Input, { ...options, maxTokens: 4 });
    }
    for await (const piece of stream) pieces.push(piece);
    const answer = await stream.answer;
    if (pieces.map(({ text }) => text).join('') !== answer.text) throw new Error('a parked stream did not show its answer');
    answers.push(answer);
  }
  return answers;
};

/** The turn before comes first, so that its cache is there. For inputs that are chats. */
export const afterTheTurnBefore: Asking = async (engine, inputs, options) => {
  const answers: Answer[] = [];
  for (const input of inputs) {
    if (!Array.isArray(input)) throw new Error('not a chat');
    await engine.generate(input.slice(0, 1), options);
    const answer = await engine.generate(input, options);
    for (const part of kept(answer)) if (part < 1 / 3) throw new Error(`only ${part} of a prompt was kept from the turn before`);
    answers.push(answer);
  }
  return answers;
};
