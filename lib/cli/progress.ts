import type { AnswerStats } from '../types.ts';
import { bar, count, duration, percent, rate, StatusLine } from './terminal.ts';

/** Off a terminal: a line at most this often, so that a log stays short. */
const sparseMs = 15_000;

/** How far --input is, on stderr: a bar on a terminal, now and then a line elsewhere, one line at the end. */
export class Progress {
  readonly #rows: number;
  readonly #kept: number;
  readonly #quiet: boolean;
  readonly #status = new StatusLine(process.stderr);
  readonly #started = performance.now();
  #lastLine = performance.now();
  #done = 0;
  #errors: number;
  #tokens = 0;
  #nudgedTokens = 0;

  constructor(rows: number, kept: number, keptErrors: number, quiet: boolean) {
    this.#rows = rows;
    this.#kept = kept;
    this.#errors = keptErrors;
    this.#quiet = quiet;
  }

  /** Rows with an error, the kept ones included. */
  get errors(): number {
    return this.#errors;
  }

  /** One more row is in the output. @param stats missing for a row with an error */
  written(stats: Pick<AnswerStats, 'tokens' | 'nudgedTokens'> | undefined): void {
    this.#done += 1;
    if (!stats) this.#errors += 1;
    this.#tokens += stats?.tokens ?? 0;
    this.#nudgedTokens += stats?.nudgedTokens ?? 0;
    this.#show();
  }

  hide(): void {
    this.#status.clear();
  }

  summary(interrupted: boolean, output: string | undefined): void {
    const seconds = this.#seconds();
    const parts = [
      `${count(this.#done, 'row')}${this.#kept > 0 ? ` after ${this.#kept} that were there` : ''}`,
      `${this.#errors} with an error`,
      this.#tokens > 0
        ? `${this.#tokens} tokens, ${percent(this.#nudgedTokens / this.#tokens)} nudged, ${rate(this.#tokens / seconds)} tokens/s`
        : '',
      duration(seconds),
      interrupted ? `interrupted${output === undefined ? '' : ': the same command goes on from here'}` : '',
    ];
    console.error(parts.filter(Boolean).join(', '));
  }

  #show(): void {
    if (this.#quiet) return;
    const done = this.#kept + this.#done;
    if (process.stderr.isTTY) {
      const speed = this.#done / this.#seconds();
      const errors = this.#errors > 0 ? `, ${this.#errors} with an error` : '';
      const pace = `${rate(speed)} rows/s, ${duration((this.#rows - done) / speed)} left`;
      this.#status.show(`${bar(done / this.#rows)} ${done} of ${this.#rows} rows${errors}, ${pace}`);
    } else if (performance.now() - this.#lastLine > sparseMs && done < this.#rows) {
      this.#lastLine = performance.now();
      console.error(`${done} of ${this.#rows} rows (${percent(done / this.#rows)})`);
    }
  }

  #seconds(): number {
    return Math.max(0.001, (performance.now() - this.#started) / 1000);
  }
}
