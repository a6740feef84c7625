import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { paper } from '../paper.ts';
import type { Contents } from '../results.ts';
import { summarise, type Summary } from '../summary.ts';
import { htmlReport } from './html.ts';
import { markdownReport } from './markdown.ts';

/** Writes report.md and report.html into the folder of the results, and returns what they show. */
export async function writeReports(folder: string, contents: Contents): Promise<Summary> {
  const summary = summarise(contents);
  const figures = paper();
  await writeFile(join(folder, 'report.md'), markdownReport(contents.run, summary, figures));
  await writeFile(join(folder, 'report.html'), htmlReport(contents.run, summary, figures));
  return summary;
}
