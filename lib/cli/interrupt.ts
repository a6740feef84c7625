import { exitCodes } from './failure.ts';

/** npm and npx pass on a Ctrl-C that the terminal sends to this process too, so one key press can arrive twice. */
const sameKeyPressMs = 250;

/** Turns the first SIGINT or SIGTERM into an abort; a second one ends the process on the spot. */
export class Interrupt {
  readonly #controller = new AbortController();
  #exitCode: number | undefined;

  constructor() {
    let first = 0;
    const listen = (name: NodeJS.Signals, exitCode: number) =>
      process.on(name, () => {
        if (this.#exitCode === undefined) {
          first = performance.now();
          this.#exitCode = exitCode;
          this.#controller.abort();
        } else if (performance.now() - first > sameKeyPressMs) {
          process.exit(exitCode);
        }
      });
    listen('SIGINT', exitCodes.interrupted);
    listen('SIGTERM', 143);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit code of an interrupted command; undefined if it was not interrupted. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }
}
