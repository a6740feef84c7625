import type { Paper } from '../paper.ts';
import type { Summary } from '../summary.ts';
import { percent1 } from './numbers.ts';
import type { Table } from './tables.ts';

/** The paper's figures, and ours in the same columns. */
export function paperTable(summary: Summary, { pairs }: Paper): Table {
  const columns = ['base', 'aligned', 'nudged', 'large'] as const;
  const known = pairs.flatMap(({ pair, tasks, 'average of 11': average }) => {
    const lines = [...Object.entries(tasks), ['average of 11', average] as const];
    const shown = lines.filter(
      ([task, figures]) =>
        (summary.tasks.some(({ name }) => name === task) || task === 'average of 11') && columns.some((column) => figures[column] !== null),
    );
    return shown.map(([task, figures]) => [task, `paper: ${pair}`, ...columns.map((column) => figures[column]?.toFixed(1) ?? '–')]);
  });
  const ours = summary.tasks
    .filter(({ score }) => score)
    .map(({ name }) => [
      name,
      'here',
      ...columns.map((column) => {
        const own = summary.systems.filter((system) => system.name.split(':')[0] === column);
        const texts = own.map((system) => {
          const accuracy = summary.cell(name, system.name)?.accuracy;
          const gamma = system.gamma === undefined ? '' : ` (γ ${system.gamma})`;
          return accuracy ? `${percent1(accuracy.share)}${gamma}` : '–';
        });
        return texts.join(', ') || '–';
      }),
    ]);
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
