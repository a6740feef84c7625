import type { ApiKey } from '../../server/auth.ts';
import { readTextFileSync } from '../../text-file.ts';
import { fileFailure, UsageError } from '../failure.ts';

/** The keys of a command line, its environment, and its file. @throws UsageError */
export function keysFrom(key: string | undefined, file: string | undefined): ApiKey[] {
  // Secrets that were read from a file often bring the newline at its end, which no header can hold.
  const given = key ?? process.env['NUDGING_API_KEY'];
  const single = given?.trim();
  if (given && !single) throw new UsageError('the key of --api-key or NUDGING_API_KEY is nothing but spaces: set another one');
  return [...(single ? [{ key: single, name: 'default' }] : []), ...(file === undefined ? [] : keysIn(file))];
}

function keysIn(path: string): ApiKey[] {
  let text: string;
  try {
    text = readTextFileSync(path);
  } catch (error) {
    throw fileFailure(error, 'the file of --api-keys', path);
  }
  const keys = text.split(/\r?\n/).flatMap((line, index): ApiKey[] => {
    const words = line.trim().split(/\s+/);
    if (words[0] === '' || words[0]?.startsWith('#')) return [];
    const [name, key, rate, ...more] = words;
    const rateLimit = rate === undefined ? undefined : Number(rate);
    // The line is not quoted: it may hold a key.
    if (name === undefined || key === undefined || more.length > 0 || (rateLimit !== undefined && !(rateLimit >= 0 && rateLimit <= 1e9)))
      throw new UsageError(`line ${index + 1} of the file of --api-keys "${path}" is wrong: write NAME KEY, or NAME KEY REQUESTS-A-MINUTE`);
    return [{ name, key, ...(rateLimit === undefined ? {} : { rateLimit }) }];
  });
  if (keys.length === 0) throw new UsageError(`the file of --api-keys "${path}" has no keys: write a line NAME KEY for each`);
  return keys;
}
