import { setMaxListeners } from 'node:events';
import type { Nudging } from '../engine.ts';
import { answerOne, type Work } from './answer.ts';
import { inputFor, systemPlaceOf, type PromptStyle } from './prompts.ts';
import type { Asked } from './questions.ts';
import type { Results } from './results.ts';
import type { AnswerRow, ErrorRow } from './rows.ts';
import type { System } from './systems.ts';

/** What an evaluation does. */
export interface Plan {
  asked: readonly Asked[];
  systems: readonly System[];
  prompts: PromptStyle;
  trace: boolean;
  seed: number;
}

/**
 * All answers of a plan that one engine makes, in the order of their lines: task by task, question by question, and of each question system
 * by system, so that what an interruption leaves can be compared.
 */
export function workFor({ asked, systems }: Plan, engine: System['engine']): Work[] {
  const own = systems.filter((system) => system.engine === engine);
  return asked.flatMap(({ task, questions }) => questions.flatMap((question) => own.map((system) => ({ task, question, system }))));
}

/**
 * Makes the answers that the results lack, as many at a time as the engine has places, and adds each line as soon as those before it are
 * there.
 *
 * @param onAnswer called for each line that was added
 */
export async function answerAll(
  nudging: Nudging,
  plan: Plan,
  work: readonly Work[],
  results: Results,
  interrupted: AbortSignal,
  onAnswer: (row: AnswerRow | ErrorRow) => void,
): Promise<void> {
  // The first failure ends the others as well.
  const failed = new AbortController();
  const signal = AbortSignal.any([interrupted, failed.signal]);
  // Every answer under way listens to it; node would take more than ten for a leak.
  setMaxListeners(0, signal);
  const place = await systemPlaceOf(nudging);
  const open = work.filter(({ task, question, system }) => !results.has({ task: task.name, id: question.id, system: system.name }));
  const done = new Map<number, AnswerRow | ErrorRow>();
  let next = 0;
  let written = 0;
  let writing = Promise.resolve();

  /** Writes what is complete up to the first gap. Chained, because rows that finish together would overtake each other. */
  const flush = () => {
    writing = writing.then(async () => {
      for (let row = done.get(written); row !== undefined; row = done.get(written)) {
        done.delete(written);
        await results.addAnswer(row);
        written += 1;
        onAnswer(row);
      }
    });
    return writing;
  };

  const worker = async () => {
    while (next < open.length && !signal.aborted) {
      const index = next;
      next += 1;
      const item = open[index] as Work;
      const input = inputFor(item.task, item.question, item.system, plan.prompts, place);
      const row = await answerOne(nudging, item, input, { trace: plan.trace, seed: plan.seed, signal });
      if (row === undefined) return;
      done.set(index, row);
      await flush();
    }
  };
  const workers = Array.from({ length: nudging.parallel }, () =>
    worker().catch((error: unknown) => {
      failed.abort();
      throw error;
    }),
  );
  const outcomes = await Promise.allSettled(workers);
  await writing.catch(() => {});
  // Those behind a row that was interrupted are complete all the same.
  for (const [, row] of [...done].sort(([one], [other]) => one - other)) {
    await results.addAnswer(row);
    onAnswer(row);
  }
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
