import type { Piece } from '../../types.ts';
import { harmless, type Palette } from '../terminal.ts';

/** How the aligned model's words are told from the base's. */
export type Marking = 'colour' | 'brackets' | 'none';

/** Shows an answer's pieces as they come. */
export class Marks {
  readonly #marking: Marking;
  readonly #palette: Palette;
  readonly #clean: boolean;
  #open = false;
  #thinking = false;

  /** @param clean the text goes to a terminal, on which escape codes of a model's must not act */
  constructor(marking: Marking, palette: Palette, clean: boolean) {
    this.#marking = marking;
    this.#palette = palette;
    this.#clean = clean;
  }

  show({ text, source, thinking: isThinking }: Piece): string {
    const thinking = isThinking === true;
    const shown = this.#clean ? harmless(text) : text;
    const before = this.#thinking && !thinking ? `${this.end()}\n\n` : '';
    this.#thinking = thinking;
    if (thinking) return before + this.#palette.dim(shown);
    if (this.#marking === 'colour') return before + (source === 'nudge' ? this.#palette.nudged(shown) : shown);
    if (this.#marking === 'none') return before + shown;
    if (source === 'base') return before + this.end() + shown;
    if (this.#open) return before + shown;
    const word = shown.trimStart();
    if (word === '') return before + shown;
    this.#open = true;
    return `${before}${shown.slice(0, shown.length - word.length)}[${word}`;
  }

  /** What closes the answer. */
  end(): string {
    const close = this.#open ? ']' : '';
    this.#open = false;
    return close;
  }
}
