import { inspect } from 'node:util';
import { isAbortSignal } from './abort.ts';
import { NudgingError } from './errors.ts';
import { expectedGuard, isGuardFault, readGuard } from './guard.ts';
import { cpuBufferNames } from './kernels.ts';
import { isFault, readLogitBias, type Fault } from './logit-bias.ts';
import { nearest } from './nearest.ts';
import { isRemote, remoteModel } from './remote/model.ts';
import { rpcServersRule } from './rpc/endpoints.ts';
import { expectedRule, isRuleFault, readRule } from './rule.ts';
import { deviceName, overridesRule } from './tensor-overrides.ts';
import type { KvCacheType } from './types.ts';

/** llama.cpp's limit. */
const mostDevices = 16;

/** What an option is allowed to be: `check` returns true for a good value; `expected` finishes the sentence "… must be". */
export interface Rule {
  check: (value: unknown) => boolean;
  expected: string;
  /** Of a value with many parts that is not good: the part that is to blame. */
  blame?: (value: unknown) => Fault;
}

export const integer = (low: number, high: number): Rule => ({
  check: (value) => Number.isInteger(value) && (value as number) >= low && (value as number) <= high,
  expected: `an integer from ${low} to ${high}`,
});

export const number = (low: number, high: number): Rule => ({
  check: (value) => typeof value === 'number' && value >= low && value <= high,
  expected: `a number from ${low} to ${high}`,
});

/** Without the lower limit itself. */
export const numberOver = (low: number, high: number): Rule => ({
  check: (value) => typeof value === 'number' && value > low && value <= high,
  expected: `a number over ${low} and at most ${high}`,
});

export const oneOf = (...names: string[]): Rule => ({
  check: (value) => names.includes(value as string),
  expected: `one of ${names.map((name) => JSON.stringify(name)).join(', ')}`,
});

/** Upper and lower case are the same. */
const oneOfNames = (...names: string[]): Rule => ({
  ...oneOf(...names),
  check: (value) => typeof value === 'string' && names.includes(value.toLowerCase()),
});

export const flag: Rule = { check: (value) => typeof value === 'boolean', expected: 'true or false' };
export const text: Rule = { check: (value) => typeof value === 'string', expected: 'a string' };
export const nonEmptyText: Rule = { check: (value) => typeof value === 'string' && value.length > 0, expected: 'a non-empty string' };
export const callback: Rule = { check: (value) => typeof value === 'function', expected: 'a function' };
export const abortSignal: Rule = {
  check: isAbortSignal,
  expected: 'an AbortSignal, or an object with aborted, addEventListener and removeEventListener',
};

/** Of what is in it, whoever uses it has more to say: see template-options.ts. */
const object: Rule = { check: isObject, expected: 'an object' };

const mark: Rule = {
  check: (value) => typeof value === 'string' && value !== '' && value.length <= 100 && value.trim() === value,
  expected: '',
};
const thinkingMarks: Rule = {
  check: (value) =>
    isObject(value) &&
    Object.keys(value).every((name) => name === 'open' || name === 'close') &&
    mark.check(value['open']) &&
    mark.check(value['close']),
  expected: '{ open, close } with texts of at most 100 characters that neither begin nor end with white space',
};

export const eitherOf = (...rules: Rule[]): Rule => ({
  check: (value) => rules.some((rule) => rule.check(value)),
  expected: rules.map((rule) => rule.expected).join(' or '),
});

export const listOf = (rule: Rule): Rule => ({
  check: (value) => Array.isArray(value) && hasOnly(value, rule),
  expected: `an array in which each is ${rule.expected}`,
});

/** Unlike `every`, it sees holes, and stops at the first of a thousand million. */
function hasOnly(values: unknown[], rule: Rule): boolean {
  for (const value of values) if (!rule.check(value)) return false;
  return true;
}

export const perLane = (rule: Rule): Rule => ({
  check: (value) =>
    rule.check(value) ||
    (isObject(value) && Object.entries(value).every(([lane, one]) => (lane === 'base' || lane === 'aligned') && rule.check(one))),
  expected: `${rule.expected}, or { base, aligned } with such values`,
});

/** Digits alone would not keep their place: objects have such names in front. */
const isName = (name: string): boolean => /^(?!\d+$)[\w-]{1,32}$/.test(name) && name !== '__proto__';
const isLaneName = (name: string): boolean => isName(name) && !['base', 'aligned', 'reference'].includes(name);

const weight = number(0, 1_000_000);
const weights: Rule = {
  check: (value) =>
    isObject(value) &&
    Object.entries(value).every(([name, one]) => isName(name) && weight.check(one)) &&
    Object.values(value).some((one) => one !== 0),
  expected: `an object of weights by model, such as { base: 0.5, aligned: 0.5 }, each ${weight.expected} and not all of them 0`,
};

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Throws the error that every wrong value gets: by name, with the value, and what it must be. */
export function reject(option: string, value: unknown, expected: string): never {
  throw new NudgingError('ERR_INVALID_OPTION', `\`${option}\` must be ${expected}; got ${shown(value)}`, { option, value });
}

function shown(value: unknown): string {
  try {
    return inspect(value, { depth: 1, maxArrayLength: 3, maxStringLength: 60, breakLength: Infinity, customInspect: false });
  } catch {
    // A property of it throws.
    return `something of the type ${typeof value} that cannot be shown`;
  }
}

/** Checks the properties of `options` by name. Unknown names are errors too: a misspelt option must not be ignored silently. */
export function check(options: unknown, rules: Record<string, Rule>, what = 'options'): void {
  if (!isObject(options)) reject(what, options, 'an object');
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (!rule) {
      const meant = nearest(name, Object.keys(rules));
      const hint = meant === undefined ? '; known' : `: did you mean \`${meant}\`? Known`;
      throw new NudgingError('ERR_INVALID_OPTION', `unknown option \`${name}\`${hint} are ${Object.keys(rules).join(', ')}`, {
        option: name,
        value,
      });
    }
    if (value === undefined || rule.check(value)) continue;
    const blamed = rule.blame?.(value) ?? { value, expected: rule.expected };
    reject(name, blamed.value, blamed.expected);
  }
}

/** Without the properties that are undefined, so that they do not hide a default. */
export function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** How tokens are chosen. */
export const samplingRules: Record<string, Rule> = {
  temperature: number(0, 100),
  topK: integer(0, 1_000_000),
  topP: numberOver(0, 1),
  minP: number(0, 1),
  seed: integer(0, Number.MAX_SAFE_INTEGER),
};

/** What is done to logits before tokens are chosen. The smallest and the largest penalty keep every logit a number. */
export const logitRules: Record<string, Rule> = {
  logitBias: {
    check: (value) => !isFault(readLogitBias(value)),
    expected: 'an object of biases from -100 to 100 by text, and by text or token id under base and aligned',
    blame: (value) => readLogitBias(value) as Fault,
  },
  repeatPenalty: number(0.01, 100),
  repeatWindow: integer(1, 1_000_000),
};

/** The options of a generation. γ may exceed 1 (semantics.md: only agreement hands over then). */
export const generateRules: Record<string, Rule> = {
  mode: oneOf('nudge', 'reverse', 'base', 'aligned', 'in-context', 'ensemble', 'proxy-tuning'),
  weights,
  alpha: number(0, 100),
  compat: oneOf('paper'),
  unit: oneOf('token', 'byte'),
  gamma: number(0, 2),
  rule: {
    check: (value) => !isRuleFault(readRule(value)),
    expected: expectedRule,
    blame: (value) => readRule(value) as Fault,
  },
  lookahead: integer(1, 1024),
  maxTokens: integer(1, 1_000_000),
  ...samplingRules,
  ...logitRules,
  stop: eitherOf(nonEmptyText, listOf(nonEmptyText)),
  system: text,
  basePrompt: eitherOf(nonEmptyText, callback),
  sealBasePrompt: flag,
  inContextPrompt: nonEmptyText,
  alignedPrompt: nonEmptyText,
  templateOptions: object,
  thinking: eitherOf(flag, thinkingMarks),
  prefill: eitherOf(flag, nonEmptyText),
  fit: oneOf('oldest-first'),
  repeatLimit: integer(0, 1_000_000),
  endRule: oneOf('aligned', 'either', 'base'),
  endCertainty: number(0, 1),
  shortDrafts: oneOf('accept', 'check'),
  lead: integer(0, 1_000_000),
  punctuation: oneOf('aligned', 'any'),
  signals: oneOf('known', 'all'),
  guard: {
    check: (value) => value === false || (value !== undefined && !isGuardFault(readGuard(value))),
    expected: expectedGuard,
    blame: (value) => readGuard(value) as Fault,
  },
  speculation: eitherOf(flag, integer(1, 31)),
  trace: oneOf('rounds', 'full'),
  timeout: integer(1, 2 ** 31 - 1),
  highWaterMark: integer(1, 1_000_000),
  signal: abortSignal,
};

/** Types of the KV cache; native/models/kv_cache_type.h has the same. */
export const kvCacheTypes = ['f16', 'bf16', 'f32', 'q8_0', 'q5_1', 'q5_0', 'q4_1', 'q4_0'] as const satisfies readonly KvCacheType[];

const deviceNames: Rule = {
  check: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= mostDevices &&
    new Set(value).size === value.length &&
    hasOnly(value, { check: (name) => typeof name === 'string' && deviceName.test(name), expected: '' }),
  expected: `an array of 1 to ${mostDevices} names of GPUs, such as ["CUDA0", "CUDA1"], each once`,
};
const proportion = number(0, 1_000_000);
const proportions: Rule = {
  check: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= mostDevices &&
    hasOnly(value, proportion) &&
    value.some((share) => share > 0),
  expected: `an array of 1 to ${mostDevices} proportions such as [3, 1], each ${proportion.expected} and not all of them 0`,
};

export const cpuBuffersRule: Rule = eitherOf(oneOfNames('all', 'plain'), listOf(oneOfNames(...cpuBufferNames)));

/** A file, a name, or a model on a server. What is wrong with one of these needs more words. */
const model: Rule = {
  check: (value) => nonEmptyText.check(value) || remoteModel.check(value),
  expected: `${nonEmptyText.expected}, or ${remoteModel.expected}`,
  blame: (value) => (isRemote(value) && remoteModel.blame ? remoteModel.blame(value) : { value, expected: model.expected }),
};

export const loadRules: Record<string, Rule> = {
  ...generateRules,
  pair: nonEmptyText,
  base: model,
  aligned: model,
  otherModels: {
    check: (value) =>
      isObject(value) &&
      Object.keys(value).length <= 14 &&
      Object.entries(value).every(([name, path]) => isLaneName(name) && nonEmptyText.check(path)),
    expected: 'an object of at most 14 paths by names of 1 to 32 letters, digits, - and _, other than base, aligned, reference and numbers',
  },
  reference: nonEmptyText,
  gpuLayers: perLane(eitherOf(integer(-1, 100_000), oneOf('auto'))),
  devices: perLane(deviceNames),
  splitMode: perLane(oneOf('none', 'layer', 'row', 'tensor')),
  tensorSplit: perLane(proportions),
  mainGpu: perLane(integer(0, mostDevices - 1)),
  cpuMoe: perLane(eitherOf(flag, integer(0, 100_000))),
  overrideTensors: perLane(overridesRule),
  deviceTop1: flag,
  padPasses: flag,
  threads: integer(1, 512),
  context: perLane(eitherOf(integer(1, 10_000_000), oneOf('auto'))),
  kvCache: perLane(oneOf(...kvCacheTypes)),
  parallel: eitherOf(integer(1, 256), oneOf('auto')),
  batch: integer(1, 65_536),
  overlap: flag,
  deterministic: flag,
  flashAttention: perLane(eitherOf(flag, oneOf('auto'))),
  maxQueue: integer(0, 1_000_000_000),
  isolate: flag,
  rpcServers: rpcServersRule,
  rpcTimeout: integer(100, 3_600_000),
  cpuBuffers: cpuBuffersRule,
  mmap: flag,
  onProgress: callback,
  onWarning: callback,
};
