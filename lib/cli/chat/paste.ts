import { Transform, type TransformCallback } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

const begin = '\x1b[200~';
const end = '\x1b[201~';
/** How long the rest of a mark may take: a terminal sends it at once. */
const restMs = 50;
/** More is shown as a note in place of the text: readline takes time that grows with the square of a line's length. */
const mostShown = 200;
/** What is typed while an answer is made is kept for the prompt, up to this. */
const mostAhead = 1 << 16;

/** The part of a terminal's input that is needed. */
export interface RawInput extends NodeJS.ReadableStream {
  setRawMode?: (mode: boolean) => unknown;
}

/**
 * A terminal's keys on their way to readline. What is pasted (terminals that were asked to mark it do) is one text, whatever it holds: its
 * line ends send nothing, and its control characters do nothing. While an answer is made, keys wait, and only Ctrl-C is heard.
 */
export class Keys extends Transform {
  readonly isTTY = true;
  /** Called for Ctrl-C while an answer is made. */
  onInterrupt: (() => void) | undefined;
  readonly #input: RawInput;
  readonly #decoder = new StringDecoder('utf8');
  readonly #pastes: string[] = [];
  #pasted: string | undefined;
  /** The beginning of a mark, whose rest has not come. */
  #rest = '';
  #timer: NodeJS.Timeout | undefined;
  #ahead = '';
  #busy = false;

  constructor(input: RawInput) {
    super();
    this.#input = input;
    input.pipe(this);
  }

  /** readline asks for it. */
  setRawMode(mode: boolean): this {
    this.#input.setRawMode?.(mode);
    return this;
  }

  /** Hears no more keys. */
  release(): void {
    clearTimeout(this.#timer);
    this.#input.unpipe(this);
    this.#input.pause();
  }

  /** Keys wait from here on, or go on. */
  set busy(busy: boolean) {
    this.#busy = busy;
    if (busy || this.#ahead === '') return;
    const ahead = this.#ahead;
    this.#ahead = '';
    this.#take(ahead);
  }

  /** A line as readline had it, with what the notes in it stand for. */
  expand(line: string): string {
    return line.replace(/\[pasted (\d+): [^\]]*\]/g, (note, number: string) => this.#pastes[Number(number) - 1] ?? note);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const text = this.#decoder.write(chunk);
    if (this.#busy) {
      if (text.includes('\x03')) {
        this.#ahead = '';
        this.onInterrupt?.();
      } else this.#ahead = (this.#ahead + text).slice(0, mostAhead);
    } else this.#take(text);
    done();
  }

  #take(text: string): void {
    clearTimeout(this.#timer);
    let left = this.#rest + text;
    this.#rest = '';
    while (left !== '') {
      const mark = this.#pasted === undefined ? begin : end;
      const at = left.indexOf(mark);
      if (at === -1) {
        const kept = this.#pasted === undefined && left === '\x1b' ? 0 : partOf(mark, left);
        this.#pass(left.slice(0, left.length - kept));
        this.#rest = left.slice(left.length - kept);
        // The Escape key, and keys that begin alike.
        if (kept > 0 && this.#pasted === undefined) this.#timer = setTimeout(() => this.#flush(), restMs);
        return;
      }
      this.#pass(left.slice(0, at));
      left = left.slice(at + mark.length);
      if (this.#pasted === undefined) this.#pasted = '';
      else this.#finish();
    }
  }

  #flush(): void {
    const rest = this.#rest;
    this.#rest = '';
    this.#pass(rest);
  }

  #pass(text: string): void {
    if (this.#pasted !== undefined) this.#pasted += text;
    else if (text !== '') this.push(text);
  }

  #finish(): void {
    const text = (this.#pasted ?? '')
      .replace(/\r\n?/g, '\n')
      .replaceAll('\t', '    ')
      .replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, '');
    this.#pasted = undefined;
    const lines = text.split('\n').length;
    if (lines === 1 && text.length <= mostShown) return void this.push(text);
    this.#pastes.push(text);
    this.push(`[pasted ${this.#pastes.length}: ${lines > 1 ? `${lines} lines` : `${text.length} characters`}]`);
  }
}

/** How many letters at the end of a text may be the beginning of a mark. */
function partOf(mark: string, text: string): number {
  for (let length = Math.min(mark.length - 1, text.length); length > 0; length -= 1)
    if (mark.startsWith(text.slice(-length))) return length;
  return 0;
}
