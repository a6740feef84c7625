import { styleText } from 'node:util';
import type { WriteStream } from 'node:tty';

type Output = NodeJS.WriteStream | WriteStream;

/** Whether escape codes may be written to a stream: FORCE_COLOR says yes or no, NO_COLOR (any value) no, else only to a terminal. */
export function wantsColor(stream: Output, env: NodeJS.ProcessEnv = process.env): boolean {
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if (env['NO_COLOR'] || env['TERM'] === 'dumb') return false;
  return stream.isTTY === true;
}

/** Writes to standard output. */
export function print(text: string): void {
  process.stdout.write(text);
}

export interface Palette {
  nudged: (text: string) => string;
  dim: (text: string) => string;
}

/** Styles for a stream; without colour they change nothing. */
export function palette(stream: Output): Palette {
  if (!wantsColor(stream)) return { nudged: (text) => text, dim: (text) => text };
  // Whether to colour is decided above; node would decide again, and by stdout only.
  const style = (format: 'cyan' | 'dim') => (text: string) => styleText(format, text, { validateStream: false });
  return { nudged: style('cyan'), dim: style('dim') };
}

/** A model may write escape codes too. On a terminal they must not act. */
export function harmless(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '�');
}

/** One line on a terminal that is written over until it is cleared. Does nothing on other streams. */
export class StatusLine {
  readonly #stream: Output;
  #shown = false;
  #last = 0;

  constructor(stream: Output) {
    this.#stream = stream;
  }

  show(text: string): void {
    const now = performance.now();
    // More often than this nobody can read.
    if (!this.#stream.isTTY || now - this.#last < 80) return;
    this.#last = now;
    this.#shown = true;
    // A line that wraps could not be written over.
    this.#stream.write(`\r${text.slice(0, Math.max(10, (this.#stream.columns || 80) - 1))}\x1b[K`);
  }

  clear(): void {
    if (this.#shown) this.#stream.write('\r\x1b[K');
    this.#shown = false;
  }
}

export function bar(fraction: number, width = 24): string {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * width);
  return `[${'#'.repeat(full)}${'-'.repeat(width - full)}]`;
}

export function percent(fraction: number): string {
  return `${Math.round(fraction * 100)} %`;
}

/** `1 row`, `2 rows`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** `7 s`, `2 min 5 s`, `3 h 20 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** `0.42`, `5.1`, `230`: as many digits as say something. */
export function rate(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2);
}
