import type { Paper } from '../paper.ts';
import type { RunRecord } from '../rows.ts';
import type { Summary } from '../summary.ts';
import { factsOf } from './facts.ts';
import { tablesOf, type Table } from './tables.ts';
import { verdicts } from './verdict.ts';

/** report.md: facts and tables. */
export function markdownReport(run: RunRecord | undefined, summary: Summary, paper: Paper): string {
  const facts = factsOf(run, summary).map(([name, text]) => `- ${name}: ${cellText(text)}`);
  const short = verdicts(summary).map((line) => `- ${cellText(line)}`);
  const inShort = short.length === 0 ? [] : [`## In short\n\n${short.join('\n')}`];
  return ['# Evaluation', facts.join('\n'), ...inShort, ...tablesOf(summary, paper).map(section), `Paper: ${paper.source} ${paper.note}`]
    .join('\n\n')
    .concat('\n');
}

/** One table as it is also shown on a terminal. */
export function markdownTable({ head, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cellText).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function section(table: Table): string {
  return `## ${table.title}\n\n${table.about}\n\n${markdownTable(table)}`;
}

/** Names of files and systems may hold anything; a table must stay one. */
function cellText(text: string): string {
  return text.replace(/[|\\<>*`[\]]/g, '\\$&').replace(/\s+/g, ' ');
}
