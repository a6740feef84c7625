import type { Nudging } from '../engine.ts';
import { inParallel } from '../in-parallel.ts';
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
 * All answers of a plan that one engine makes, in the order in which they are begun: task by task, question by question, and of each
 * question system by system, so that what an interruption leaves can be compared.
 */
export function workFor({ asked, systems }: Plan, engine: System['engine']): Work[] {
  const own = systems.filter((system) => system.engine === engine);
  return asked.flatMap(({ task, questions }) => questions.flatMap((question) => own.map((system) => ({ task, question, system }))));
}

/**
 * Makes the answers that the results lack, as many at a time as the engine has places. Each line is added as soon as its answer is there,
 * so that not even a crash takes more than the answers under way; lines say themselves what they are about, and need no order.
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
  const place = await systemPlaceOf(nudging);
  const open = work.filter(({ task, question, system }) => !results.has({ task: task.name, id: question.id, system: system.name }));
  await inParallel(open, nudging.parallel, undefined, async (item, ending) => {
    if (interrupted.aborted) return;
    const signal = AbortSignal.any([interrupted, ending]);
    const input = inputFor(item.task, item.question, item.system, plan.prompts, place);
    const row = await answerOne(nudging, item, input, { trace: plan.trace, seed: plan.seed, signal });
    if (row === undefined) return;
    await results.addAnswer(row);
    onAnswer(row);
  });
}
