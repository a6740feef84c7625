import type { LaneName } from './types.ts';

/** What is wrong with a value: the part of it, and what it must be, which finishes the sentence "… must be". */
export interface Fault {
  value: unknown;
  expected: string;
}

/** A token's id or text, and its bias. */
export type NamedBias = [name: number | string, bias: number];

/** By model; `others`: what holds for every model, and so for further ones. */
export type Biases = Record<LaneName | 'others', NamedBias[]>;

/** What one request can carry without the event loop noticing, for each of the three: both models, the base, the aligned one. */
const mostBiases = 1024;
/** Longer than any token that shows a text. */
const longestText = 256;

const isLane = (name: string): name is LaneName => name === 'base' || name === 'aligned';
/** Digits alone: such a text can only be named by its id. */
const isId = (name: string) => /^(0|[1-9]\d*)$/.test(name);
const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const quoted = (name: string) => JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);

/** What `logitBias` says of each model, or what is wrong with it. */
export function readLogitBias(value: unknown): Biases | Fault {
  if (!isPlainObject(value)) return { value, expected: 'an object of biases by text, and by text or token id under base and aligned' };
  const given = Object.entries(value).filter(([, bias]) => bias !== undefined);
  const common = readBiases(Object.fromEntries(given.filter(([name]) => !isLane(name))), '');
  if (!Array.isArray(common)) return common;
  const id = common.find(([name]) => typeof name === 'number')?.[0];
  if (id !== undefined) {
    const expected = 'an object that has token ids under base or aligned only, because each model numbers its tokens in its own way';
    return { value: id, expected };
  }
  const biases: Biases = { base: [...common], aligned: [...common], others: common };
  for (const [name, own] of given) {
    if (!isLane(name)) continue;
    const read = readBiases(own, ` under ${name}`);
    if (!Array.isArray(read)) return read;
    biases[name].push(...read);
  }
  return biases;
}

function readBiases(value: unknown, where: string): NamedBias[] | Fault {
  if (!isPlainObject(value)) return { value, expected: `an object of biases${where}` };
  const entries = Object.entries(value);
  if (entries.length > mostBiases) return { value: entries.length, expected: `an object with at most ${mostBiases} biases${where}` };
  for (const [name, bias] of entries) {
    if (typeof bias !== 'number' || !(Math.abs(bias) <= 100)) {
      return { value: bias, expected: `an object that has a number from -100 to 100 for ${quoted(name)}${where}` };
    }
    if (name === '' || name.length > longestText) {
      return { value: name, expected: `an object with texts of 1 to ${longestText} characters${where}` };
    }
  }
  return entries.map(([name, bias]) => [isId(name) ? Number(name) : name, bias as number]);
}

export function isFault(read: Biases | Fault): read is Fault {
  return 'expected' in read;
}
