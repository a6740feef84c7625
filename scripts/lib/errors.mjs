/** A failure the user can act on: its message is the whole story, a stack would only hide it. */
export class BuildError extends Error {
  /** @override */
  name = 'BuildError';
}

/** What the system refuses that whoever runs a script can mend, by code. */
const refusals = /** @type {Record<string, string>} */ ({
  EACCES: 'is not allowed: run this as the user who may write there, or change the permissions',
  EPERM: 'is not allowed: run this as the user who may write there, or change the permissions',
  EROFS: 'failed, because the disk is read-only: install the package somewhere else',
  ENOSPC: 'failed, because the disk is full: make room on it',
  EDQUOT: 'failed, because the disk quota is used up: make room',
});

/** A failure of the file system as a sentence; undefined for everything else, whose stack is wanted. @param {unknown} error */
export function describeRefusal(error) {
  if (!(error instanceof Error)) return undefined;
  const { code = '', path, syscall } = /** @type {NodeJS.ErrnoException} */ (error);
  return Object.hasOwn(refusals, code) && path ? `${syscall} "${path}" ${refusals[code]} (${code}).` : undefined;
}

/**
 * Runs a script's main function; expected failures end as one message and exit code 1.
 * @param {() => Promise<number | void>} main
 */
export async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    const message = error instanceof BuildError ? error.message : describeRefusal(error);
    console.error(message === undefined ? error : `nudging: ${message}`);
    process.exitCode = 1;
  }
}
