import { readTextFile } from '../text-file.ts';
import type { Input, LoadOptions } from '../types.ts';
import { fileFailure, UsageError } from './failure.ts';
import { rowsIn } from './rows.ts';

/**
 * Prompts of a file: rows as --input has them if it begins with `{`, and else a question a line. Empty lines do not count.
 *
 * @throws UsageError
 */
export async function readPromptFile(path: string, flag: string, fewest: number, settings: LoadOptions): Promise<Input[]> {
  let content: string;
  try {
    content = await readTextFile(path);
  } catch (error) {
    throw fileFailure(error, `the file of ${flag}`, path);
  }
  const prompts = content.trimStart().startsWith('{')
    ? rowsIn(content, path, settings).map(({ input }) => input)
    : content.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (prompts.length < fewest)
    throw new UsageError(`the file of ${flag} "${path}" has ${prompts.length} prompts: write at least ${fewest}, one a line`);
  return prompts;
}
