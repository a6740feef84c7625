import type { RunRecord } from '../rows.ts';
import type { Summary } from '../summary.ts';

/** What the run was made with, in a few lines. */
export function factsOf(run: RunRecord | undefined, summary: Summary): [name: string, text: string][] {
  const made = run?.madeWith ?? {};
  const file = (value: unknown) => (value as { file?: string } | undefined)?.file ?? 'not known';
  const large = made['large'] === undefined ? [] : ([['large model', file(made['large'])]] as [string, string][]);
  const sizes = summary.tasks.map(({ name }) => {
    const rows = Math.max(...summary.systems.map((system) => summary.cell(name, system.name)?.rows ?? 0));
    const { questions, generated } = run?.tasks[name] ?? {};
    return `${name} ${rows}${questions === undefined ? '' : ` of ${questions}`}${generated ? ' (generated)' : ''}`;
  });
  return [
    ['base', file(made['base'])],
    ['aligned', file(made['aligned'])],
    ...large,
    ['questions', sizes.join(', ')],
    ['prompts', String(run?.prompts['style'] ?? 'not known')],
    ['limits', `${String(made['maxTokens'])} tokens, lookahead ${String(made['lookahead'])}`],
    ['seed', String(run?.seed)],
    ['answers at a time', String(run?.parallel ?? 'not known')],
    ['version', String(made['version'])],
  ];
}
