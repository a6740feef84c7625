import { fileOf } from '../../eval/questions.ts';
import { tasks } from '../../eval/tasks/index.ts';
import { parquetRemedy } from '../../eval/data/records.ts';
import { entry, prose } from '../layout.ts';

/** The same for programs; `found` is missing where there is no file. */
export async function taskList(data: string | undefined): Promise<object[]> {
  return Promise.all(
    tasks.map(async (task) => {
      const { name, title, source, licence, files, format, paperScorer: byPaper } = task;
      const found = await fileOf(task, data);
      const offline = task.score !== undefined;
      return { name, title, source, licence, files, format, offline, byPaper, generated: !!task.generate, ...(found ? { found } : {}) };
    }),
  );
}

/** The text of --list: of every task its questions' source, licence and files, and which of them is there. */
export async function listTasks(data: string | undefined, columns: number): Promise<string> {
  const parts = await Promise.all(
    tasks.map(async (task) => {
      const found = await fileOf(task, data);
      const here = found ?? (task.generate ? 'none: questions are generated' : data === undefined ? 'none: no --data' : 'none');
      const lines: [string, string][] = [
        ['source', task.source],
        ['licence', task.licence],
        ['files', `one of ${task.files.join(', ')}`],
        ['format', task.format],
        ['scored by', `${task.score ? 'an offline rule' : 'a judge only'}; in the paper by ${paperScorer(task.paperScorer)}`],
        ['found', here],
      ];
      return `${task.name}\n${prose(`  ${task.title}`, columns)}${lines.map(([name, text]) => entry(name, text, 14, columns)).join('')}`;
    }),
  );
  const remark =
    'Files are read as their makers publish them: JSON, JSON lines or CSV. Parquet is not read; save its table as JSON lines: ' +
    `${parquetRemedy}.`;
  return `${parts.join('\n')}\n${prose(remark, columns)}`;
}

const paperScorer = (scorer: (typeof tasks)[number]['paperScorer']) => (scorer === 'rule' ? 'the same rule' : scorer);
