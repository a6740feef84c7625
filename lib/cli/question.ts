import { addAbortSignal } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { decodeText } from '../text-file.ts';
import { UsageError } from './failure.ts';

/** All of standard input. */
export async function textFromStdin(signal: AbortSignal): Promise<string> {
  return decodeText(await buffer(addAbortSignal(signal, process.stdin)));
}

/** The question that is piped in. @param help the command whose help says more */
export async function questionFromStdin(signal: AbortSignal, help = 'nudging --help'): Promise<string> {
  if (process.stdin.isTTY) throw new UsageError(`no question: write one in quotes, pipe one in, or see ${help}`);
  const question = (await textFromStdin(signal)).replace(/\r?\n$/, '');
  if (question.trim() === '') throw new UsageError(`no question: standard input is empty; write a question in quotes, or see ${help}`);
  return question;
}

/** The one question among a command's words, or else from standard input. */
export async function questionFrom(words: readonly string[], signal: AbortSignal, command: string): Promise<string> {
  const [question, ...others] = words;
  if (others.length > 0) throw new UsageError(`${words.length} questions were given: put one question in quotes`);
  if (question === undefined) return questionFromStdin(signal, `nudging ${command} --help`);
  if (question.trim() === '') throw new UsageError('the question is empty: write one in quotes');
  return question;
}
