import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EvaluationError } from '../../eval/evaluation-error.ts';
import { judgeAll, unjudged } from '../../eval/judge/judge.ts';
import { addressOf } from '../../eval/judge/client.ts';
import { readQuestions } from '../../eval/questions.ts';
import { markdownTable } from '../../eval/report/markdown.ts';
import { tablesOf } from '../../eval/report/tables.ts';
import { summaryJson } from '../../eval/report/json.ts';
import { writeReports } from '../../eval/report/write.ts';
import { Results } from '../../eval/results.ts';
import { isAnswer, type RunRecord } from '../../eval/rows.ts';
import { answerAll, workFor, type Plan } from '../../eval/run.ts';
import { expandSystems, type System } from '../../eval/systems.ts';
import { tasks } from '../../eval/tasks/index.ts';
import { paper } from '../../eval/paper.ts';
import type { LoadOptions } from '../../types.ts';
import { exitCodes, UsageError } from '../failure.ts';
import type { Interrupt } from '../interrupt.ts';
import { load } from '../load.ts';
import { differences, madeWith } from '../made-with.ts';
import { Progress } from '../progress.ts';
import { count, print, StatusLine } from '../terminal.ts';
import type { EvalRequest } from './request.ts';

/** Runs or continues an evaluation. Returns the exit code. */
export async function evaluate(request: EvalRequest, interrupt: Interrupt): Promise<number> {
  try {
    return await evaluateInto(await outOf(request), request, interrupt);
  } catch (error) {
    // All of these can be mended by whoever typed the command.
    throw error instanceof EvaluationError ? new UsageError(error.message) : error;
  }
}

async function outOf({ out, report }: EvalRequest): Promise<string> {
  if (out === undefined) throw new UsageError('eval needs a folder for its results: add --out DIR');
  const folder = await stat(out).catch(() => undefined);
  if (folder && !folder.isDirectory()) throw new UsageError(`--out "${out}" is no folder: choose another place`);
  const found = await stat(join(out, 'results.jsonl')).catch(() => undefined);
  if (report && !found) throw new UsageError(`--out "${out}" has no results.jsonl to report on: run the evaluation first`);
  return out;
}

async function evaluateInto(out: string, request: EvalRequest, interrupt: Interrupt): Promise<number> {
  const { judge } = request;
  // Wrong addresses and names must not show up after hours.
  if (judge) addressOf(judge.url);
  const plan = request.report ? undefined : await planFor(request);
  const results = await Results.open(join(out, 'results.jsonl'));
  try {
    if (plan) await answer(plan, request, results, interrupt);
    // A judge that fails takes no report away: what it judged before is in there.
    const unheard = judge && !interrupt.signal.aborted ? await ask(judge, results, interrupt.signal) : undefined;
    const summary = await writeReports(out, results.contents);
    const [accuracy] = tablesOf(summary, paper());
    if (request.json) print(`${JSON.stringify(summaryJson(results.contents, summary))}\n`);
    else if (accuracy) print(`${markdownTable(accuracy)}\n`);
    console.error(`reports: ${join(out, 'report.html')}, ${join(out, 'report.md')}`);
    if (unheard) throw unheard;
    const errors = results.contents.answers.filter((row) => !isAnswer(row)).length;
    return interrupt.exitCode ?? (errors > 0 ? exitCodes.failed : exitCodes.ok);
  } finally {
    await results.close();
  }
}

async function planFor({ tasks: names, data, limit, seed, systems, gammas, specs, large, prompts, trace }: EvalRequest): Promise<Plan> {
  const all = expandSystems({ names: systems, gammas, specs, large: large !== undefined });
  const asked = await readQuestions({
    seed,
    ...(names ? { names } : {}),
    ...(data === undefined ? {} : { data }),
    ...(limit === undefined ? {} : { limit }),
  });
  return { asked, systems: all, prompts, trace, seed };
}

/** Loads one engine after the other, and only those whose answers are missing. */
async function answer(plan: Plan, request: EvalRequest, results: Results, interrupt: Interrupt): Promise<void> {
  const { signal } = interrupt;
  const record = await recordOf(plan, request);
  results.mustFit(record, differences);
  const engines = (['pair', 'large'] as const).map((engine) => ({ engine, work: workFor(plan, engine) }));
  const isThere = ({ task, question, system }: (typeof engines)[number]['work'][number]) =>
    results.has({ task: task.name, id: question.id, system: system.name });
  const all = engines.flatMap(({ work }) => work);
  const progress = new Progress(all.length, all.filter(isThere).length, 0, false);
  for (const { engine, work } of engines) {
    if (signal.aborted || work.every(isThere)) continue;
    const nudging = await load(loadFor(engine, request), signal, request.verbose);
    try {
      await results.begin({ ...record, parallel: nudging.parallel });
      await answerAll(nudging, plan, work, results, signal, (row) =>
        progress.written(isAnswer(row) ? { tokens: row.tokens, nudgedTokens: row.nudgedTokens } : undefined),
      );
    } finally {
      progress.hide();
      await nudging.close();
    }
  }
  progress.summary(signal.aborted, request.out);
}

/** The large model is loaded as both models of a pair: they share its weights, and only one of them is asked. */
function loadFor(engine: System['engine'], { load: options, large }: EvalRequest): LoadOptions {
  return engine === 'large' && large !== undefined ? { ...options, base: large, aligned: large } : options;
}

async function recordOf({ asked, systems, prompts, trace, seed }: Plan, { load: options, large }: EvalRequest): Promise<RunRecord> {
  // The systems and the tasks say these themselves.
  const { mode, gamma, ...made } = await madeWith(options);
  const largeMade = large === undefined ? {} : { large: (await madeWith({ base: large, aligned: large }))['base'] };
  return {
    madeWith: { ...made, ...largeMade, trace: trace ? 'full' : 'rounds' },
    prompts: { style: prompts },
    seed,
    tasks: Object.fromEntries(
      asked.map(({ task, available, origin }) => [
        task.name,
        'generated' in origin ? { generated: true as const } : { questions: available ?? 0, sha256: origin.sha256 },
      ]),
    ),
    systems: Object.fromEntries(systems.map(({ name, options: own }) => [name, own])),
  };
}

/** Returns what went wrong, if something did. */
async function ask({ url, model }: NonNullable<EvalRequest['judge']>, results: Results, signal: AbortSignal): Promise<unknown> {
  const key = process.env['JUDGE_API_KEY'] ?? process.env['OPENAI_API_KEY'];
  const open = unjudged(results, tasks, model);
  const status = new StatusLine(process.stderr);
  let done = 0;
  let failures = 0;
  try {
    await judgeAll({ url, model, ...(key === undefined ? {} : { key }) }, open, results, signal, ({ scores }) => {
      done += 1;
      if (!scores) failures += 1;
      status.show(`${done} of ${open.length} answers judged`);
    });
  } catch (error) {
    return signal.aborted ? undefined : error;
  } finally {
    status.clear();
    console.error(`${count(done, 'answer')} judged by ${model}, ${failures} without a verdict`);
  }
  return undefined;
}
