import type { RuleReplay, Would } from './replay.ts';
import type { Answer, Decision } from './types.ts';

/** The thresholds between which words are compared, and λ. The bet compares everywhere. */
export interface Bet {
  low: number;
  high: number;
  lambda: number;
}

/** The base's word under way (R18), in bytes, one character each. */
interface Word {
  /** Bytes of text before it. */
  start: number;
  text: string;
  tokens: number;
  probability: number;
  would?: Would;
}

/** A probability that is not known exactly is at most `most`. */
type Known = { exactly: number } | { most: number; missing: string };

const bytesOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const isWholeText = (text: string) => /^ *[^ ]+ /.test(text);
const shows = (text: string) => /[^ ]/.test(text);
const isSilent = ({ ends, bytes }: Decision) => ends || bytes.length === 0;

/** R18 and R19 over a trace: which words were compared, or which can be put together from the tokens that were asked for. */
export class BetReplay implements RuleReplay {
  readonly #bet: Bet;
  readonly #limit: number;
  /** Whether the answer's own rule compared the same words, behind the same drafts. */
  readonly #sameWords: boolean;
  #drafts: readonly Decision[] = [];
  #start = 0;
  /** Where each token of the draft begins, and what they show. */
  #begins: number[] = [];
  #draft = '';
  /** What the text has been, from where the draft begins. */
  #said = '';
  #shown = new Shown();
  #word: Word = wordAt(0);

  constructor(bet: Bet, { decidedBy }: Answer) {
    this.#bet = bet;
    this.#limit = decidedBy?.lookahead ?? 0;
    const { name, low, high } = decidedBy?.rule ?? { name: 'top1' };
    const thresholds = name === 'bet' ? [0, Number.POSITIVE_INFINITY] : [Math.fround(low as number), Math.fround(high as number)];
    this.#sameWords = (name === 'bet' || name === 'hybrid') && thresholds[0] === bet.low && thresholds[1] === bet.high;
  }

  begin(drafts: readonly Decision[]): void {
    this.#drafts = drafts.filter(({ ends }) => !ends);
    this.#start = drafts[0]?.position ?? 0;
    this.#begins = this.#drafts.map(({ position }) => position - this.#start);
    const shown = new Shown();
    for (const { bytes } of this.#drafts) shown.add(bytes);
    this.#draft = shown.text;
  }

  judge(decision: Decision, next: readonly Decision[]): Would {
    const at = decision.position - this.#start;
    if (decision.kind === 'boundary') {
      this.#said = this.#draft.slice(0, at);
      this.#shown = new Shown();
      this.#word = wordAt(at);
    } else if (this.#ends(this.#word, decision)) {
      this.#word = wordAt(at);
    }
    const would = this.#wouldSpeak(decision, next);
    // Only what the base has said belongs to its word.
    if (!isSilent(decision) && decision.speaks !== 'aligned') {
      add(this.#word, decision);
      this.#shown.add(decision.bytes);
    }
    return would;
  }

  #wouldSpeak(decision: Decision, next: readonly Decision[]): Would {
    // R7a, R7b, R10: nothing is judged.
    if (decision.speaks === undefined) return true;
    if (decision.probability < this.#bet.low) return false;
    if (decision.probability >= this.#bet.high) return true;
    this.#word.would ??= this.#compare(decision, next);
    return this.#word.would;
  }

  #compare(decision: Decision, next: readonly Decision[]): Would {
    const recorded = this.#sameWords ? decision.words : undefined;
    const aligned: Known = recorded ? { exactly: recorded.aligned } : this.#alignedWord();
    const read = this.#baseWord(decision, next);
    const base = recorded === undefined || 'exactly' in read ? read : ofRecord(recorded.base, decision.speaks === 'base', read);
    // What the base's word needs at most.
    const least = Math.fround(('exactly' in aligned ? aligned.exactly : aligned.most) - this.#bet.lambda);
    if (least <= 0 || ('exactly' in base && base.exactly >= least)) return true;
    if (!('exactly' in aligned)) return { missing: aligned.missing };
    return 'exactly' in base || base.most < least ? false : { missing: base.missing };
  }

  /** As far as the round's own draft has it: where that serves, it is the draft that the rule would have looked at. */
  #alignedWord(): Known {
    const { start } = this.#word;
    const text = this.#said + this.#shown.text;
    const rest = this.#draft.slice(start);
    if (!this.#draft.startsWith(text.slice(0, start)) || start > this.#draft.length)
      return { most: 1, missing: 'the word of the aligned model, which was not asked behind what the base has said there' };
    const first = this.#begins.findIndex((begin) => begin >= start);
    const own = first < 0 ? [] : this.#drafts.slice(first, first + this.#limit);
    const length = /^ *[^ ]+(?= )/.exec(rest)?.[0].length;
    const end = start + (length ?? Number.POSITIVE_INFINITY);
    let product = 1;
    for (const [index, { probability }] of own.entries())
      if ((this.#begins[first + index] as number) < end) product = Math.fround(product * probability);
    const isWhole = length !== undefined || own.length >= this.#limit;
    return isWhole
      ? { exactly: product }
      : { most: product, missing: 'the end of the word of the aligned model, whose draft breaks off in it' };
  }

  /** The base's tokens of the word as the trace has them. */
  #baseWord(decision: Decision, next: readonly Decision[]): Known {
    const word = { ...this.#word };
    const missing = 'the rest of the word of the base, which was not asked for it';
    for (const further of [decision, ...next]) {
      if (further !== decision && (further.kind !== 'run' || isSilent(further) || this.#ends(word, further)))
        return further.kind === 'run' ? { exactly: word.probability } : { most: word.probability, missing };
      add(word, further);
      if (this.#isWhole(word)) return { exactly: word.probability };
      // What comes behind it was not said behind it.
      if (further.speaks === 'aligned') break;
    }
    return { most: word.probability, missing };
  }

  #isWhole({ text, tokens }: Word): boolean {
    return isWholeText(text) || tokens >= this.#limit;
  }

  #ends(word: Word, next: Decision): boolean {
    return this.#isWhole(word) || (shows(word.text) && bytesOf(next.bytes).startsWith(' '));
  }
}

/** The rule has read the base's word as far as it took to know. */
function ofRecord(probability: number, spoke: boolean, read: Known): Known {
  return spoke || 'exactly' in read ? { exactly: probability } : { most: probability, missing: read.missing };
}

const wordAt = (start: number): Word => ({ start, text: '', tokens: 0, probability: 1 });

function add(word: Word, { bytes, probability }: Decision): void {
  word.text += bytesOf(bytes);
  word.tokens += 1;
  word.probability = Math.fround(word.probability * probability);
}

/** What tokens show (R4), in bytes. */
class Shown {
  text = '';
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  add(bytes: Uint8Array): void {
    this.text += Buffer.from(this.#decoder.decode(bytes, { stream: true }), 'utf8').toString('latin1');
  }
}
