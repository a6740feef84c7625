/** One request's way to the server: it is closed by its user, or when nothing comes for too long. */
export class Line {
  readonly #controller = new AbortController();
  readonly #timeout: number;
  readonly #user: AbortSignal;
  #timer: NodeJS.Timeout | undefined;
  /** Whether nothing has come for too long. */
  late = false;

  constructor(user: AbortSignal, timeout: number) {
    this.#user = user;
    this.#timeout = timeout;
    if (user.aborted) this.#close();
    else user.addEventListener('abort', this.#close);
  }

  readonly #close = () => this.#controller.abort(this.#user.reason);

  get signal(): AbortSignal {
    return this.#controller.signal;
  }
  get closed(): boolean {
    return this.#user.aborted;
  }
  get reason(): unknown {
    return this.#user.reason;
  }

  /** From now on something is to come. */
  expect(): void {
    if (this.#timer) this.#timer.refresh();
    else
      this.#timer = setTimeout(() => {
        this.late = true;
        this.#controller.abort(new Error('no answer'));
      }, this.#timeout);
  }

  stopClock(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  end(): void {
    this.stopClock();
    this.#user.removeEventListener('abort', this.#close);
    // Whoever has read enough leaves the rest.
    this.#controller.abort();
  }
}
