import { evaluate } from '../eval/evaluate.ts';
import { evalGroups } from '../eval/flags.ts';
import { listTasks, taskList } from '../eval/list.ts';
import { readRequest } from '../eval/request.ts';
import { exitCodes } from '../failure.ts';
import { columnsOf } from '../layout.ts';
import { print } from '../terminal.ts';
import type { Command } from './command.ts';

export const evaluation: Command = {
  name: 'eval',
  summary: 'measure a pair on the tasks of the nudging paper',
  usage: ['--out DIR [--data DIR] [flags]', '--list [--data DIR]', '--report --out DIR'],
  about: `Asks several systems the same questions (the base alone, the aligned model alone, both together at several gammas, a large aligned
model), scores the answers without a network, and writes a report: accuracy with intervals, exact tests question by question, shares
of nudged words, speed, calibration, and where the systems differ. docs/evaluation.md says what is measured and what differs from the
paper.

  nudging eval --out results --tasks coin_flip,last_letter_concat --limit 20
  nudging eval --out results --data DIR --limit 100 --gamma 0.2,0.3,0.4 --base base.gguf --aligned aligned.gguf
  nudging eval --out results --data DIR --tasks justeval --judge http://localhost:8080/v1 --judge-model NAME`,
  groups: evalGroups,
  notes: `The package holds nobody's questions: coin_flip and last_letter_concat are generated where there is no file, all others need
--data. After Ctrl-C all complete answers are kept, and the same command goes on from there; with more tasks, systems or a larger --limit it
adds to what is there. Other models or settings are refused: they need another --out.`,
  async run(argv, interrupt) {
    const request = await readRequest(argv);
    if (request.list) {
      const { data, json } = request;
      print(json ? `${JSON.stringify(await taskList(data))}\n` : await listTasks(data, columnsOf(process.stdout)));
      return exitCodes.ok;
    }
    return evaluate(request, interrupt);
  },
};
