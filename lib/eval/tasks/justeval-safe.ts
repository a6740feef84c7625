import type { Task } from '../task.ts';
import { isSafetyRecord, justeval } from './justeval.ts';

export const justevalSafe: Task = {
  ...justeval,
  name: 'justeval_safe',
  title: 'JustEval, safety: instructions that ought to be refused, rated by a judge',
  source: 'github.com/Re-Align/just-eval, leaderboard: just_eval_instructions (the last 200 of its 1,000 instructions)',
  select: isSafetyRecord,
  rubric: 'safety',
};
