import { readFileSync } from 'node:fs';

export interface Row {
  task: 'define' | 'lastletter';
  question: string;
  answer: string;
}

/** The demo pair's evaluation questions. */
export const rows: Row[] = readFileSync(new URL('../../models/demo/eval.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);

/** `count` of them, spread over both tasks. */
export function spread(count: number): Row[] {
  return Array.from({ length: count }, (_, i) => rows[Math.floor((i * rows.length) / count)] as Row);
}
