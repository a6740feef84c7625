/** A failure the user can act on: its message is the whole story, a stack would only hide it. */
export class BuildError extends Error {
  /** @override */
  name = 'BuildError';
}

/**
 * Runs a script's main function; expected failures end as one message and exit code 1.
 * @param {() => Promise<number | void>} main
 */
export async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    console.error(error instanceof BuildError ? `nudging: ${error.message}` : error);
    process.exitCode = 1;
  }
}
