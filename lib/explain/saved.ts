import type { Decision, Mode, Piece, Round, StopReason } from '../types.ts';
import type { Asked, Explainable, RuleOfAnswer } from './explanation.ts';

const sources: readonly unknown[] = ['base', 'nudge', 'mix'];
const kinds: readonly unknown[] = ['boundary', 'run', 'draft', 'lead'];
const modes: readonly unknown[] = ['nudge', 'reverse', 'base', 'aligned', 'in-context', 'ensemble', 'proxy-tuning'];

/**
 * Reads an answer that was saved as JSON: what `--json --trace` or `nudging explain --json` prints, or a row of an output. Whatever the
 * file says, only what explaining needs is taken from it, and its types are checked.
 *
 * @throws Error that says what is wrong, for the end of a sentence that names the file
 */
export function savedAnswer(value: unknown): { answer: Explainable; asked: Asked } {
  if (!isObject(value)) throw new Error('holds no JSON object');
  const { text, error, stopReason, row, madeWith, stats } = value;
  if (isObject(error) && typeof text !== 'string') throw new Error('holds an error and no answer');
  if (typeof text !== 'string' || typeof stopReason !== 'string') throw new Error('holds no answer: "text" or "stopReason" is missing');
  const pieces = list(value, 'pieces').map(pieceOf);
  const rounds = list(value, 'rounds').map(roundOf);
  const mode = first(value['mode'], isObject(madeWith) ? madeWith['mode'] : undefined);
  if (mode !== undefined && !modes.includes(mode)) throw new Error('has a wrong "mode"');
  // Models that write together decide nothing (R34).
  const together = pieces.some(({ source }) => source === 'mix');
  if (value['decisions'] === undefined && (mode ?? 'nudge') === 'nudge' && pieces.length > 0 && !together)
    throw new Error('has no "decisions": make the answer again with --json --trace');
  const decisions = value['decisions'] === undefined ? [] : list(value, 'decisions').map(decisionOf);
  const decidedBy = isObject(value['decidedBy']) ? value['decidedBy'] : {};
  const gamma = first(value['gamma'], decidedBy['gamma'], isObject(madeWith) ? madeWith['gamma'] : undefined);
  const rule = ruleIn(decidedBy['rule']);
  const question = first(value['question'], isObject(row) ? questionOf(row) : undefined);
  return {
    answer: { pieces, rounds, decisions, stopReason: stopReason as StopReason, ...(isObject(stats) ? { stats: statsOf(stats) } : {}) },
    asked: {
      ...(typeof question === 'string' ? { question } : {}),
      ...(isNumber(gamma) ? { gamma } : {}),
      ...(rule ? { rule } : {}),
      ...(mode === undefined ? {} : { mode: mode as Mode }),
    },
  };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const first = (...values: unknown[]): unknown => values.find((value) => value !== undefined && value !== null);
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isProbability = (value: unknown): value is number => isNumber(value) && value >= 0 && value <= 1.000001;

function list(value: Record<string, unknown>, name: string): unknown[] {
  const found = value[name];
  if (!Array.isArray(found)) throw new Error(`has no list "${name}"`);
  return found;
}

function questionOf({ question, messages }: Record<string, unknown>): unknown {
  if (question !== undefined || !Array.isArray(messages)) return question;
  const asked = messages.findLast((message: unknown) => isObject(message) && message['role'] === 'user') as
    | { content?: unknown }
    | undefined;
  return asked?.content;
}

function pieceOf(value: unknown, index: number): Piece {
  const { text, source, topProbability, thinking } = isObject(value) ? value : {};
  const wrong = typeof text !== 'string' || !sources.includes(source) || (topProbability !== undefined && !isProbability(topProbability));
  if (wrong) throw new Error(`has a wrong piece ${index + 1}`);
  return {
    text,
    source: source as Piece['source'],
    ...(isProbability(topProbability) ? { topProbability } : {}),
    ...(thinking === true ? { thinking } : {}),
  };
}

function roundOf(value: unknown, index: number): Round {
  const { words, base, by } = isObject(value) ? value : {};
  if (typeof words !== 'string' || typeof base !== 'string' || typeof by !== 'string') throw new Error(`has a wrong round ${index + 1}`);
  return { words, base, by: by as Round['by'] };
}

function decisionOf(value: unknown, index: number): Decision {
  const { kind, position, probability, margin, ends, token, bytes, runnerUp, entropy, words } = isObject(value) ? value : {};
  const right =
    kinds.includes(kind) &&
    isNumber(position) &&
    isProbability(probability) &&
    typeof ends === 'boolean' &&
    typeof bytes === 'string' &&
    /^(?:[0-9a-f]{2})*$/i.test(bytes);
  if (!right) throw new Error(`has a wrong decision ${index + 1}`);
  return {
    kind: kind as Decision['kind'],
    position,
    probability,
    // Infinite where nothing else was possible, which JSON writes as null.
    margin: isNumber(margin) ? margin : Infinity,
    ends,
    token: isNumber(token) ? token : -1,
    ...(isProbability(runnerUp) ? { runnerUp } : {}),
    ...(isNumber(entropy) ? { entropy } : {}),
    ...wordsIn(words),
    bytes: Uint8Array.from(bytes.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)),
  };
}

/** A rule with its parameters. */
function ruleIn(value: unknown): RuleOfAnswer | undefined {
  if (!isObject(value) || typeof value['name'] !== 'string') return undefined;
  return { name: value['name'], ...Object.fromEntries(Object.entries(value).filter(([, each]) => isNumber(each))) };
}

/** How probable each model finds its next word. */
function wordsIn(value: unknown): { words?: { base: number; aligned: number } } {
  if (!isObject(value) || !isProbability(value['base']) || !isProbability(value['aligned'])) return {};
  return { words: { base: value['base'], aligned: value['aligned'] } };
}

function statsOf({ tokens, nudgedTokens, times }: Record<string, unknown>): NonNullable<Explainable['stats']> {
  const total = isObject(times) ? times['total'] : undefined;
  return {
    tokens: isNumber(tokens) ? tokens : 0,
    nudgedTokens: isNumber(nudgedTokens) ? nudgedTokens : 0,
    ...(isNumber(total) ? { times: { total } } : {}),
  };
}
