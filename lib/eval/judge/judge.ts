import { inParallel } from '../../in-parallel.ts';
import type { Results } from '../results.ts';
import { isAnswer, type AnswerRow, type Judgement } from '../rows.ts';
import type { Task } from '../task.ts';
import { complete, type JudgeServer } from './client.ts';
import { rubrics } from './rubrics.ts';
import { readVerdict, UnreadableVerdict } from './verdict.ts';

/** Requests to the judge at a time. */
const atOnce = 4;

/** Answers that a judge has not given a readable opinion of yet. An empty one is judged too: it is what the system said. */
export function unjudged(results: Results, tasks: readonly Task[], judge: string): { row: AnswerRow; rubric: Judgement['rubric'] }[] {
  const rubricOf = new Map(tasks.map(({ name, rubric }) => [name, rubric]));
  return results.contents.answers.filter(isAnswer).flatMap((row) => {
    const rubric = rubricOf.get(row.task);
    return rubric === undefined || results.isJudged(row, judge) ? [] : [{ row, rubric }];
  });
}

/**
 * Asks the judge about each of these answers and adds its opinions to the results. A reply without scores is asked for once more, and then
 * counted as a failure: it has no score, not a low one.
 *
 * @throws EvaluationError where the judge cannot be reached or refuses; what was judged before is kept
 */
export async function judgeAll(
  server: JudgeServer,
  open: ReturnType<typeof unjudged>,
  results: Results,
  signal: AbortSignal,
  onJudgement: (judgement: Judgement) => void,
): Promise<void> {
  await inParallel(open, atOnce, signal, async ({ row, rubric }, either) => {
    const judgement = await judgeOne(server, row, rubric, either);
    await results.addJudgement(judgement);
    onJudgement(judgement);
  });
}

async function judgeOne(server: JudgeServer, row: AnswerRow, rubric: Judgement['rubric'], signal: AbortSignal): Promise<Judgement> {
  const { task, id, system } = row;
  const said = { task, id, system, rubric, judge: server.model };
  const message = rubrics[rubric].ask(row);
  let failure = '';
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      return { ...said, scores: readVerdict(await complete(server, message, signal), rubrics[rubric]) };
    } catch (error) {
      if (!(error instanceof UnreadableVerdict)) throw error;
      failure = error.message;
    }
  }
  return { ...said, failure };
}
