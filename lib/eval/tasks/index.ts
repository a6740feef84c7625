import type { Task } from '../task.ts';
import { arcChallenge } from './arc-challenge.ts';
import { coinFlip } from './coin-flip.ts';
import { csqa } from './csqa.ts';
import { date } from './date.ts';
import { gsm8k } from './gsm8k.ts';
import { justeval } from './justeval.ts';
import { justevalSafe } from './justeval-safe.ts';
import { lastLetterConcat } from './last-letter-concat.ts';
import { mmlu } from './mmlu.ts';
import { multiarith } from './multiarith.ts';
import { sports } from './sports.ts';
import { strategyqa } from './strategyqa.ts';
import { svamp } from './svamp.ts';

/** The thirteen tasks of the nudging paper, in its order. */
export const tasks: readonly Task[] = [
  gsm8k,
  svamp,
  multiarith,
  mmlu,
  arcChallenge,
  strategyqa,
  csqa,
  sports,
  date,
  coinFlip,
  lastLetterConcat,
  justeval,
  justevalSafe,
];
