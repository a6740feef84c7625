import { markdownTable } from '../../../bench/lib/markdown.mjs';
import type { Sameness } from './sameness.ts';

/** A table that grows with the tests and is printed behind them. */
export class Report {
  readonly #rows: string[][] = [];
  readonly #title: string;

  constructor(title: string) {
    this.#title = title;
  }

  add(setting: string, { answers, equal, decisions, differing, largest }: Sameness, ms: number): void {
    this.#rows.push([
      setting,
      `${equal} / ${answers}`,
      `${differing} / ${decisions}`,
      largest === 0 ? '0' : largest.toPrecision(2),
      (ms / 1000).toFixed(1),
    ]);
  }

  print(): void {
    const head = ['setting', 'answers equal', 'differing decisions', 'largest difference in p', 'seconds'];
    const width = head.map((name, column) => Math.max(name.length, ...this.#rows.map((row) => row[column]?.length ?? 0)));
    const padded = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(width[column] ?? 0));
    console.log(`\n${this.#title}\n\n${markdownTable(padded(head), this.#rows.map(padded))}\n`);
  }
}
