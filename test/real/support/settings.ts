import type { GenerateOptions, LoadOptions } from '../../../lib/index.ts';
import { afterTheTurnBefore, allAtOnce, inGroups, parked, type Asking } from './asking.ts';

/** One row of the table. */
export interface Setting {
  name: string;
  load: LoadOptions;
  options: GenerateOptions;
  asking: Asking;
  /** Also in the short run. */
  quick: boolean;
}

/** Settings that must all give the bits of their reference: plain, alone, one thread. */
export interface Family {
  name: string;
  load: LoadOptions;
  options: GenerateOptions;
  inputs: 'questions' | 'second turns';
  settings: Setting[];
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
const company = (together: number) => (together === 1 ? 'alone' : `${together} together`);
type Speculation = Exclude<GenerateOptions['speculation'], undefined>;
const speculative = (speculation: Speculation) =>
  typeof speculation === 'number' ? `${speculation} guesses` : speculation ? 'speculative' : 'plain';

function setting(together: number, speculation: Speculation, threads: number, quick = false): Setting {
  return {
    name: `${company(together)}, ${speculative(speculation)}, ${counted(threads, 'thread')}`,
    load: { threads, parallel: together },
    options: { speculation },
    asking: inGroups(together),
    quick,
  };
}

/** The same with something else. */
const but = (name: string, what: Setting, change: Partial<Setting>): Setting => ({
  ...what,
  ...change,
  name: `${what.name}, ${name}`,
  load: { ...what.load, ...change.load },
});

const inQuick = new Set(['1 true 2', '1 8 1', '4 false 1', '4 true 2']);
const everyShape = [1, 2].flatMap((threads) =>
  [1, 2, 4, 8].flatMap((together) =>
    ([false, true, 4, 8] as const).map((speculation) =>
      setting(together, speculation, threads, inQuick.has(`${together} ${speculation} ${threads}`)),
    ),
  ),
);
const aFew = [setting(1, true, 2), setting(4, false, 1), setting(4, true, 2, true), setting(4, 4, 2)];

export const families: Family[] = [
  {
    name: 'every shape',
    load: {},
    options: {},
    inputs: 'questions',
    settings: [
      ...everyShape,
      but('and the next when one ends', setting(4, true, 2), { asking: allAtOnce }),
      but('overlap', setting(1, true, 2), { load: { overlap: true } }),
      but('overlap', setting(4, true, 1, true), { load: { overlap: true } }),
      but('batches of 8', setting(1, true, 2, true), { load: { batch: 8 } }),
      but('batches of 64', setting(4, false, 2), { load: { batch: 64 } }),
      but('parked and resumed', setting(1, false, 1), { asking: parked }),
      but('parked and resumed', setting(1, true, 2, true), { asking: parked }),
    ],
  },
  {
    name: 'the second turn of a chat',
    load: {},
    options: {},
    inputs: 'second turns',
    settings: [
      but('after the first', setting(1, false, 1), { asking: afterTheTurnBefore }),
      but('after the first', setting(1, true, 2, true), { asking: afterTheTurnBefore }),
      setting(4, true, 2),
    ],
  },
  { name: 'flash attention', load: { flashAttention: true }, options: {}, inputs: 'questions', settings: aFew },
  { name: 'no flash attention', load: { flashAttention: false }, options: {}, inputs: 'questions', settings: aFew },
  { name: 'sampled', load: {}, options: { temperature: 0.8, topP: 0.95, seed: 7 }, inputs: 'questions', settings: aFew },
];
