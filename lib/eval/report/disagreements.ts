import type { AnswerRow } from '../rows.ts';
import { isRight, type Summary } from '../summary.ts';

/** Questions on which systems differ: where one is right and another one wrong, the most divided first. */
export function disagreements(summary: Summary, most: number): AnswerRow[][] {
  const groups = new Map<string, AnswerRow[]>();
  for (const row of summary.answers) {
    if (row.score === undefined) continue;
    const key = JSON.stringify([row.task, row.id]);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const divided = [...groups.values()].flatMap((rows) => {
    const right = rows.filter((row) => isRight(row)).length;
    return right > 0 && right < rows.length ? [{ rows, uneven: Math.abs(2 * right - rows.length) }] : [];
  });
  // One of each task first, so that a long task does not take all places.
  const byTask = new Map<string, number>();
  const ranked = divided
    .sort((one, other) => one.uneven - other.uneven)
    .map((each) => {
      const task = each.rows[0]?.task ?? '';
      const rank = byTask.get(task) ?? 0;
      byTask.set(task, rank + 1);
      return { ...each, rank };
    });
  return ranked
    .sort((one, other) => one.rank - other.rank)
    .slice(0, most)
    .map(({ rows }) => rows);
}
