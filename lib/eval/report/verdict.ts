import type { Paired, Summary } from '../summary.ts';
import { percent1, pText, systemLabel } from './numbers.ts';

/** Below this, a difference is called one: the usual line, and no more than that. */
const significant = 0.05;

/** Whether it pays, in a sentence for each system of both models. Empty where nothing can be compared. */
export function verdicts(summary: Summary): string[] {
  const scored = summary.tasks.filter(({ score }) => score);
  return summary.systems.flatMap(({ name }) => {
    const own = summary.paired.filter(
      ({ system, task, pairs }) => system === name && pairs > 0 && (scored.length === 1 || task === undefined),
    );
    if (own.length === 0) return [];
    const against = own.map((pair) => comparison(pair, share(summary, pair.against)));
    return [`${systemLabel(name)} is right in ${share(summary, name)} of the questions: ${against.join('; ')}.`];
  });
}

/** The mean of the tasks, or what there is of them. */
function share(summary: Summary, system: string): string {
  const average = summary.average(system);
  return average ? `${percent1(average.mean)} %` : 'some';
}

function comparison({ against, won, lost, pairs, p }: Paired, share: string): string {
  const often = won === lost ? 'as often as' : won > lost ? 'more often than' : 'less often than';
  const chance = p < significant || won === lost ? '' : ', which may be chance';
  return `${often} ${systemLabel(against)} alone (${share})${chance}: ${won} to ${lost} of ${pairs} questions, p ${pText(p)}`;
}
