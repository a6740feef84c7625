import { NudgingError } from '../errors.ts';

/** An error for a disk that is full, or would be. */
export function noSpace(cache: string, variable: string, bytes: { needed?: number; available?: number } = {}): NudgingError {
  const { needed, available } = bytes;
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(bytes < 2 ** 30 ? 2 : 1)} GiB`;
  const lacking = needed === undefined || available === undefined ? '' : `: ${gib(needed)} are missing, ${gib(available)} are free`;
  const remedy = `remove models (\`nudging models\`), or name a folder on another disk with ${variable}`;
  return new NudgingError('ERR_HUB_NO_SPACE', `the disk of ${cache} has no room for this${lacking}; ${remedy}`, bytes);
}

/** What the disk says of a cache, as an error with a remedy. `variable` of the environment says where the cache is. */
export function onDisk(cache: string, variable: string): (reason: unknown) => never {
  return (reason) => {
    const { code, message } = reason as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw noSpace(cache, variable);
    if (reason instanceof NudgingError || !/^E[A-Z]+$/.test(code ?? '')) throw reason;
    const remedy = `mend its permissions, or name another folder with ${variable}`;
    throw new NudgingError('ERR_HUB_CACHE', `the cache ${cache} cannot be written (${message}): ${remedy}`, { cause: reason });
  };
}
