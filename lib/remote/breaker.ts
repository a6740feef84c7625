/** Failures in a row after which nothing is asked for a while. */
const enough = 5;
/** How long that is at first, and at most, in milliseconds. It doubles as long as the server does not answer. */
const pause = { first: 1000, most: 60_000 };

/** Keeps from asking a server again and again that does not answer: whoever asks is told at once. */
export class Breaker {
  #failures = 0;
  #pause = pause.first;
  #until = 0;
  #trying = false;
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Milliseconds until the server is asked again; 0 if it may be asked now. */
  get closedFor(): number {
    if (this.#failures < enough) return 0;
    const left = this.#until - this.#now();
    // One finds out for all.
    return left > 0 ? left : this.#trying ? pause.first : 0;
  }

  get failures(): number {
    return this.#failures;
  }

  /** The server is being asked. */
  begin(): void {
    this.#trying = true;
  }

  /** It has answered. */
  worked(): void {
    this.#failures = 0;
    this.#pause = pause.first;
    this.#trying = false;
  }

  /** Nobody waited to see whether it answers. */
  unknown(): void {
    this.#trying = false;
  }

  /** It has not answered. */
  failed(): void {
    this.#failures += 1;
    this.#trying = false;
    if (this.#failures < enough) return;
    this.#until = this.#now() + this.#pause;
    this.#pause = Math.min(2 * this.#pause, pause.most);
  }
}
