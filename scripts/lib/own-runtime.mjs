// Processes of our own run on whatever runs this one, `process.execPath`. That is not always a runtime that takes a script: it may be an
// application that has its runtime inside, and that starts anew, with all that it does, whatever it is given.

/** The environment variable that marks processes of our own. Whoever loads an engine in one of them is not what we meant to start. */
export const childMark = 'NUDGING_CHILD_PROCESS';

/** Whether this process is an application that holds its own runtime, as far as that runtime says so. */
export function isApplication() {
  /** @type {{ isSea?: () => boolean } | undefined} */
  const sea = process.getBuiltinModule?.('node:sea');
  return sea?.isSea?.() === true;
}
