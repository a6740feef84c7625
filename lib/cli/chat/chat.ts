import type { Nudging } from '../../engine.ts';
import { NudgingError } from '../../errors.ts';
import { usedBy } from '../../mode-options.ts';
import type { Answer, ChatMessage, GenerateOptions, LoadOptions, Mode } from '../../types.ts';
import { describe } from '../failure.ts';
import { answerJson } from '../json.ts';
import { columnsOf, prose } from '../layout.ts';
import { count, harmless, palette, rate, wantsColor } from '../terminal.ts';
import { guestsShare, unnudged } from '../who-spoke.ts';
import type { Lines } from './lines.ts';
import { Marks, type Marking } from './marks.ts';
import type { Session } from './session.ts';
import { isSlash, runSlash } from './slash.ts';

/** What a chat needs of its surroundings. */
export interface Surroundings {
  nudging: Nudging;
  /** What the models were loaded with: settings that hold where the session has none. */
  loaded: LoadOptions;
  lines: Lines;
  interactive: boolean;
  /** Answers are printed as JSON, and all else goes to stderr. */
  json: boolean;
  signal: AbortSignal;
}

/** The last answer, and what it answered. */
export interface Last {
  messages: readonly ChatMessage[];
  answer: Answer;
}

/** A chat that goes on: what was said, and what becomes of the next line. */
export class Chat {
  readonly surroundings: Surroundings;
  session: Session;
  last: Last | undefined;
  marking: Marking;
  /** Whether something failed that a script should know of. */
  failed = false;
  #over = false;

  constructor(surroundings: Surroundings, session: Session) {
    this.surroundings = surroundings;
    this.session = session;
    this.marking = wantsColor(process.stdout) ? 'colour' : surroundings.interactive ? 'brackets' : 'none';
  }

  /** Takes lines until there are no more. */
  async run(): Promise<void> {
    const { interactive, signal, lines } = this.surroundings;
    if (interactive) this.note('A line is a question; /help lists what else can be done.');
    while (!this.#over && !signal.aborted) {
      const line = await this.#line();
      if (line === undefined) break;
      if (line.trim() === '') continue;
      try {
        await (isSlash(line) ? runSlash(this, line.trim()) : this.#ask(line));
      } catch (error) {
        // The chat goes on: whatever was wrong with one line is told.
        if (signal.aborted) break;
        this.failed = true;
        this.complain(describe(error));
        if (error instanceof NudgingError && (error.code === 'ERR_CLOSED' || error.code === 'ERR_DEVICE_FAILED')) break;
      }
    }
    lines.close();
  }

  quit(): void {
    this.#over = true;
  }

  /** A line, and those that it goes on with: a backslash at its end means that there is more. */
  async #line(): Promise<string | undefined> {
    const { lines } = this.surroundings;
    let text = '';
    for (let prompt = '> '; ; prompt = '… ') {
      const line = await lines.next(prompt);
      if (line === undefined) return text === '' ? undefined : text;
      if (!line.endsWith('\\')) return text + line;
      text += `${line.slice(0, -1)}\n`;
    }
  }

  async #ask(question: string): Promise<void> {
    const messages: ChatMessage[] = [...this.session.messages, { role: 'user', content: question }];
    const answer = await this.answer(messages, {});
    this.last = { messages, answer };
    // An answer of nothing is no turn: templates want them to alternate.
    if (answer.text.trim() !== '') this.session.messages = [...messages, { role: 'assistant', content: answer.text }];
  }

  /** Answers, and shows it. Ctrl-C ends it with what there is. */
  async answer(messages: readonly ChatMessage[], options: GenerateOptions): Promise<Answer> {
    const { nudging, json, interactive, lines, signal, loaded } = this.surroundings;
    const { stdout } = process;
    const stopped = new AbortController();
    const settings: GenerateOptions = {
      // What was set for the chat is not meant for one model alone.
      ...(options.mode === undefined ? this.session.settings : usedBy(options.mode, this.session.settings)),
      ...(this.session.system === '' ? {} : { system: this.session.system }),
      trace: 'full',
      fit: 'oldest-first',
      ...options,
    };
    const stream = nudging.stream({ messages }, { ...settings, signal: AbortSignal.any([signal, stopped.signal]) });
    lines.onInterrupt = () => stopped.abort();
    const marks = new Marks(this.marking, palette(stdout), stdout.isTTY === true);
    for await (const piece of stream) if (!json) stdout.write(marks.show(piece));
    const answer = await stream.answer;
    if (json) stdout.write(`${JSON.stringify(answerJson(answer))}\n`);
    else stdout.write(`${marks.end()}${answer.text.endsWith('\n') ? '' : '\n'}`);
    if (interactive && !json) this.note(afterwards(answer, settings.mode ?? loaded.mode ?? 'nudge'));
    return answer;
  }

  /** Prints what a command has to say. */
  say(text: string): void {
    const ended = text.endsWith('\n') ? text : `${text}\n`;
    (this.surroundings.json ? process.stderr : process.stdout).write(ended);
  }

  /** Prints a remark, which no script has to read. */
  note(text: string): void {
    process.stderr.write(palette(process.stderr).dim(prose(text, columnsOf(process.stderr)).trimEnd()));
    process.stderr.write('\n');
  }

  complain(message: string): void {
    console.error(`nudging: ${message}`);
  }
}

const unusual: Partial<Record<Answer['stopReason'], string>> = {
  length: 'cut at its longest length: /set max-tokens changes it',
  context: 'the context is full: /clear forgets what was said',
  stalled: 'it went in circles',
  aborted: 'stopped',
  timeout: 'out of time',
  refused: 'the guard found that the aligned model would refuse',
};

function afterwards({ stats, stopReason, refusal, droppedMessages = 0, seed }: Answer, mode: Mode): string {
  const { tokens, times } = stats;
  const parts = [
    count(tokens, 'token'),
    unnudged[mode] ?? guestsShare(stats, mode),
    times.total > 0 && tokens > 0 ? `${rate(tokens / (times.total / 1000))} tokens/s` : '',
    seed === undefined ? '' : `seed ${seed}`,
    unusual[stopReason] ?? '',
    refusal === undefined ? '' : `it says ${JSON.stringify(harmless(refusal.trim()))}`,
    droppedMessages > 0 ? `without the ${count(droppedMessages, 'oldest message')}, for which the context has no room` : '',
  ];
  return parts.filter(Boolean).join(', ');
}
