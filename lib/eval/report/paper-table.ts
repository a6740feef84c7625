import type { Paper } from '../paper.ts';
import type { Summary } from '../summary.ts';
import { percent1 } from './numbers.ts';
import type { Table } from './tables.ts';

/** The paper's figures, and ours in the same columns. */
export function paperTable(summary: Summary, { pairs }: Paper): Table {
  const columns = ['base', 'aligned', 'nudged', 'large'] as const;
  // An average says nothing beside a part of its tasks.
  const all = summary.tasks.filter(({ score }) => score).length === 11;
  const known = pairs.flatMap(({ pair, tasks, 'average of 11': average }) => {
    const lines = [...Object.entries(tasks), ...(all ? [['average of 11', average] as const] : [])];
    const shown = lines.filter(
      ([task, figures]) =>
        (summary.tasks.some(({ name }) => name === task) || task === 'average of 11') && columns.some((column) => figures[column] !== null),
    );
    return shown.map(([task, figures]) => [task, `paper: ${pair}`, ...columns.map((column) => figures[column]?.toFixed(1) ?? '–')]);
  });
  const line = (task: string, shareOf: (system: string) => number | undefined) => [
    task,
    'here',
    ...columns.map((column) => {
      const texts = summary.systems.flatMap(({ name, gamma }) => {
        const share = shareOf(name);
        // Other settings than γ have no column of the paper's.
        if (share === undefined || (name !== column && !(column === 'nudged' && name === `nudged:gamma=${gamma}`))) return [];
        return [`${percent1(share)}${column === 'nudged' ? ` (γ ${gamma})` : ''}`];
      });
      return texts.join(', ') || '–';
    }),
  ];
  const scored = summary.tasks.filter(({ score }) => score);
  const ours = scored.map(({ name }) => line(name, (system) => summary.cell(name, system)?.accuracy?.share));
  if (all) ours.push(line('average of 11', (system) => summary.average(system)?.mean));
  const rows = [...ours, ...known].sort(([one = ''], [other = '']) => place(one, summary) - place(other, summary));
  return {
    title: 'Beside the paper',
    about:
      "Percent right. The paper's models are others, and its judge differs (GPT-4o-mini, GPT-4o for coin_flip) for all tasks but gsm8k, " +
      'svamp and multiarith; its base alone is not stopped at its next question. Figures of the paper that are not known here are missing.',
    head: ['task', 'whose', ...columns],
    rows,
  };
}

function place(task: string, { tasks }: Summary): number {
  const index = tasks.findIndex(({ name }) => name === task);
  return index === -1 ? tasks.length : index;
}
