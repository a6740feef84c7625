import type { Piece, ThinkingMarks } from './types.ts';

/** What most models that think write around it. */
export const usualMarks: ThinkingMarks = { open: '<think>', close: '</think>' };

/** Where a text stands: see native/nudge/thinking_part.h, which looks for the same marks so that stop strings count in the answer alone. */
export type ThinkingState = 'undecided' | 'thinking' | 'gap' | 'answer';

/** The marks that an option asks for; undefined if thinking is not to be told apart. */
export function marksOf(option: boolean | ThinkingMarks | undefined): ThinkingMarks | undefined {
  return option === true ? usualMarks : option === false ? undefined : option;
}

const blanks = ' \t\n\v\f\r';
const isBlank = (character: string) => blanks.includes(character);

/**
 * Tells thinking from the answer in pieces as they come, wherever they are cut. The marks and the white space beside them belong to
 * neither. What may yet become a mark is held back; each character is looked at once.
 */
export class ThinkingSplitter {
  readonly #marks: ThinkingMarks;
  /** For each beginning of the closing mark: how long the longest end of it is that is a beginning, too (Knuth, Morris, Pratt). */
  readonly #shorter: number[];
  #state: ThinkingState = 'undecided';
  /**
   * What was not told yet. In front stand `certain` characters of thinking, then `blank` ones of white space, then `matched` ones of a
   * mark.
   */
  readonly #held: Piece[] = [];
  #certain = 0;
  #blank = 0;
  #matched = 0;
  /** Whether there was any thinking: white space in front of it does not count. */
  #thought = false;

  constructor(marks: ThinkingMarks) {
    this.#marks = marks;
    this.#shorter = fallbacks(marks.close);
  }

  /** How far the prompt's end brings the text. Before the first piece. */
  begin(state: ThinkingState): void {
    this.#state = state;
  }

  /** The next piece. Returns what is certain. */
  push(piece: Piece): Piece[] {
    if (this.#state === 'answer') return [piece];
    const told: Piece[] = [];
    this.#held.push(piece);
    for (const character of piece.text.split('')) {
      this.#look(character, told);
      if (this.#inAnswer()) break;
    }
    if (this.#inAnswer()) this.#tell(Infinity, told);
    else this.#tellCertain(told);
    return told;
  }

  /** What was held back, now that nothing follows. */
  end(): Piece[] {
    const told: Piece[] = [];
    if (this.#state === 'thinking') {
      for (const character of this.#marks.close.slice(0, this.#matched)) this.#think(character);
      this.#tellCertain(told);
      this.#drop(Infinity);
    } else {
      this.#tell(Infinity, told);
    }
    return told;
  }

  #inAnswer(): boolean {
    return this.#state === 'answer';
  }

  #look(character: string, told: Piece[]): void {
    const { open, close } = this.#marks;
    switch (this.#state) {
      case 'undecided':
        if (this.#matched === 0 && isBlank(character)) {
          this.#blank += 1;
        } else if (character !== open[this.#matched]) {
          this.#state = 'answer';
        } else if (++this.#matched === open.length) {
          this.#leaveMark('thinking');
        }
        return;
      case 'thinking': {
        // Nearly every character.
        if (this.#matched === 0 && character !== close[0]) return this.#think(character);
        let matched = this.#matched;
        while (matched > 0 && close[matched] !== character) matched = this.#shorter[matched - 1] as number;
        if (close[matched] === character) matched += 1;
        // What was taken for the beginning of the mark and is none.
        const read = close.slice(0, this.#matched) + character;
        for (const each of read.slice(0, read.length - matched).split('')) this.#think(each);
        this.#matched = matched;
        if (matched < close.length) return;
        this.#tellCertain(told);
        return this.#leaveMark('gap');
      }
      case 'gap':
        if (isBlank(character)) this.#drop(1);
        else this.#state = 'answer';
    }
  }

  #leaveMark(state: ThinkingState): void {
    this.#drop(this.#blank + this.#matched);
    this.#state = state;
    this.#matched = 0;
    this.#blank = 0;
  }

  /** One more character of the thinking. White space waits for what follows it. */
  #think(character: string): void {
    if (isBlank(character)) {
      this.#blank += 1;
      return;
    }
    if (this.#thought) this.#certain += this.#blank;
    else this.#drop(this.#blank);
    this.#certain += 1;
    this.#thought = true;
    this.#blank = 0;
  }

  #tellCertain(told: Piece[]): void {
    this.#take(this.#certain, (piece) => told.push({ ...piece, thinking: true }));
    this.#certain = 0;
  }

  #tell(characters: number, told: Piece[]): void {
    this.#take(characters, (piece) => told.push(piece));
  }

  #drop(characters: number): void {
    this.#take(characters, () => {});
  }

  /** Takes characters from the front of what is held. */
  #take(characters: number, use: (piece: Piece) => void): void {
    for (let left = characters; left > 0 && this.#held.length > 0; ) {
      const first = this.#held[0] as Piece;
      if (first.text.length <= left) {
        use(first);
        this.#held.shift();
      } else {
        use({ ...first, text: first.text.slice(0, left) });
        this.#held[0] = { ...first, text: first.text.slice(left) };
      }
      left -= first.text.length;
    }
  }
}

function fallbacks(mark: string): number[] {
  const shorter = [0];
  for (let at = 1; at < mark.length; at += 1) {
    let length = shorter[at - 1] as number;
    while (length > 0 && mark[length] !== mark[at]) length = shorter[length - 1] as number;
    shorter.push(mark[length] === mark[at] ? length + 1 : 0);
  }
  return shorter;
}
