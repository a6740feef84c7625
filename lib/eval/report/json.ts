import { answerReliability, boundaryReliability } from '../calibration.ts';
import type { Contents } from '../results.ts';
import type { Summary } from '../summary.ts';
import { verdicts } from './verdict.ts';

/** What report.md says, as data: shares are in [0, 1] with their 95 % intervals. What is missing there is missing here. */
export function summaryJson({ run }: Contents, summary: Summary): object {
  const { tasks, systems, cell, average, paired, answers } = summary;
  return {
    ...(run ? { run } : {}),
    inShort: verdicts(summary),
    systems: systems.map((system) => {
      const own = answers.filter((row) => row.system === system.name);
      const [boundaries, byAnswer] = [boundaryReliability(own), answerReliability(own)];
      return {
        ...system,
        ...(average(system.name) ? { average: average(system.name) } : {}),
        ...(boundaries || byAnswer
          ? { calibration: { ...(boundaries ? { boundaries } : {}), ...(byAnswer ? { answers: byAnswer } : {}) } }
          : {}),
      };
    }),
    tasks: tasks.map(({ name, title }) => ({
      name,
      title,
      systems: Object.fromEntries(
        systems.flatMap((system) => {
          const own = cell(name, system.name);
          return own ? [[system.name, own]] : [];
        }),
      ),
    })),
    paired,
  };
}
