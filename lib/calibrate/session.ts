import { throwIfAborted } from '../abort.ts';
import type { Nudging } from '../engine.ts';
import type { GenerateOptions, Input } from '../types.ts';
import { inParallel } from '../in-parallel.ts';
import { compare, type Compared } from './opinions.ts';
import { seededRandom } from './random.ts';
import { recordingOf, type Recording } from './recording.ts';
import type { Calibration, CalibrateOptions, CalibrationProgress } from './types.ts';

/** What a calibration needs of an engine. */
export type Engine = Pick<Nudging, 'generate' | 'inspect' | 'parallel'>;

/** How many prompts are timed, and how long the base's answers to them are: it would go on and on. */
const timed = { prompts: 8, baseTokens: 64 };

/** With a γ that stands still, whatever the engine's rule is. */
const nudgedWith = (gamma: number) => ({ mode: 'nudge', rule: 'top1', gamma }) as const;

/** The runs of one calibration: prompts through the engine, with progress and a way to end them. */
export class Session {
  readonly #engine: Engine;
  readonly #prompts: readonly Input[];
  readonly #options: CalibrateOptions;
  readonly #started = performance.now();
  #answers = 0;
  #questions = 0;

  constructor(engine: Engine, prompts: readonly Input[], options: CalibrateOptions) {
    this.#engine = engine;
    this.#prompts = prompts;
    this.#options = options;
  }

  /** Answers all prompts with this γ. Where the engine samples, each prompt has a seed of its own, the same every time. */
  async answer(gamma: number, phase: CalibrationProgress['phase']): Promise<Recording[]> {
    const say = this.#progress(phase, this.#prompts.length, gamma);
    return inParallel(this.#prompts, this.#engine.parallel, this.#options.signal, async (input, signal, index) => {
      const answer = await this.#engine.generate(input, { ...nudgedWith(gamma), trace: 'full', seed: index, signal });
      this.#answers += 1;
      // An aborted one is not complete.
      if (!signal.aborted) say();
      return recordingOf(answer);
    });
  }

  /** What both models say at the judgements of these answers. */
  async compare(recordings: readonly Recording[], gamma: number): Promise<Compared[]> {
    const say = this.#progress('ask', this.#prompts.length, gamma);
    const { signal, seed = 1 } = this.#options;
    const inspect: Engine['inspect'] = (inspection) => {
      throwIfAborted(signal);
      this.#questions += 1;
      return this.#engine.inspect(inspection);
    };
    const compared = await inParallel(recordings, this.#engine.parallel, signal, async (recording, _signal, index) => {
      // A generator for each: which answer is done first must not decide what is asked about the next.
      const result = await compare({ inspect }, this.#prompts[index] as Input, recording, seededRandom(seed * 65_537 + index));
      say();
      return result;
    });
    return compared.flat();
  }

  /** Times some prompts one after the other, nudged and by the base alone. */
  async time(gamma: number): Promise<Calibration['speed']> {
    const count = Math.min(timed.prompts, this.#prompts.length);
    const chosen = Array.from({ length: count }, (_, index) => this.#prompts[Math.floor((index * this.#prompts.length) / count)] as Input);
    const say = this.#progress('time', chosen.length, gamma);
    const spent = { base: { tokens: 0, ms: 0 }, nudged: { tokens: 0, ms: 0 } };
    for (const input of chosen) {
      const run = async (of: { tokens: number; ms: number }, options: GenerateOptions) => {
        const { stats } = await this.#engine.generate(input, { ...options, seed: 0, ...this.#signal() });
        throwIfAborted(this.#options.signal);
        this.#answers += 1;
        of.tokens += stats.tokens;
        of.ms += stats.times.total;
      };
      await run(spent.nudged, nudgedWith(gamma));
      await run(spent.base, { mode: 'base', stop: [], maxTokens: timed.baseTokens });
      say();
    }
    const perSecond = ({ tokens, ms }: { tokens: number; ms: number }) => (ms > 0 ? (tokens / ms) * 1000 : 0);
    const [base, nudged] = [perSecond(spent.base), perSecond(spent.nudged)];
    return { base, nudged, ratio: nudged > 0 ? base / nudged : 0 };
  }

  effort(): Calibration['effort'] {
    const seconds = (performance.now() - this.#started) / 1000;
    return { prompts: this.#prompts.length, answers: this.#answers, questions: this.#questions, seconds };
  }

  #signal(): Pick<GenerateOptions, 'signal'> {
    const { signal } = this.#options;
    return signal === undefined ? {} : { signal };
  }

  #progress(phase: CalibrationProgress['phase'], total: number, gamma: number): () => void {
    const { onProgress } = this.#options;
    let done = 0;
    return () => {
      done += 1;
      onProgress?.({ phase, done, total, gamma });
    };
  }
}
