import { isObject } from '../../options.ts';
import type { Choice, DataRecord } from '../task.ts';
import { EvaluationError } from '../evaluation-error.ts';

/** A field that must be a text; several names are tried in order. @throws EvaluationError */
export function textField(record: DataRecord, ...names: string[]): string {
  const found = fieldOf(record, ...names);
  if (typeof found === 'string' && found.trim() !== '') return found;
  throw lacks(names, 'a text');
}

/** The first of these fields that is there. @throws EvaluationError */
export function anyField(record: DataRecord, ...names: string[]): unknown {
  const found = fieldOf(record, ...names);
  if (found !== undefined && found !== null) return found;
  throw lacks(names, 'a value');
}

export function fieldOf(record: DataRecord, ...names: string[]): unknown {
  if (Array.isArray(record)) return undefined;
  const name = names.find((each) => record[each] !== undefined);
  return name === undefined ? undefined : record[name];
}

function lacks(names: string[], what: string): EvaluationError {
  return new EvaluationError(`lacks ${what} under ${names.map((name) => `"${name}"`).join(' or ')}`);
}

/**
 * Options as the sets write them: a list of `{ label, text }` (the official files of ARC and CommonsenseQA), or lists of labels and of
 * texts (the same on Hugging Face). @throws EvaluationError
 */
export function choicesIn(value: unknown): Choice[] {
  const pairs: unknown[] = Array.isArray(value)
    ? value
    : isObject(value) && Array.isArray(value['text']) && Array.isArray(value['label'])
      ? value['text'].map((text: unknown, index: number) => ({ text, label: (value['label'] as unknown[])[index] }))
      : [];
  const choices = pairs.flatMap((pair) => {
    if (!isObject(pair) || typeof pair['label'] !== 'string' || typeof pair['text'] !== 'string') return [];
    return [{ label: pair['label'], text: pair['text'] }];
  });
  if (choices.length < 2 || choices.length !== pairs.length) throw new EvaluationError('lacks two or more choices with label and text');
  return choices;
}

/** The right option as the authors write it, "B. text". @throws EvaluationError */
export function goldChoice(choices: readonly Choice[], label: string): string {
  const right = choices.find((choice) => choice.label === label);
  if (!right) throw new EvaluationError(`names "${label}" as its answer, which is none of its choices`);
  return `${right.label}. ${right.text}`;
}

/** A question with its options below it, as the authors show them. */
export function withChoices(question: string, choices: readonly Choice[]): string {
  return [question, ...choices.map(({ label, text }) => `${label}. ${text}`)].join('\n');
}

/** The target with a score above the others, of BIG-bench's `target_scores`. @throws EvaluationError */
export function bestTarget(record: DataRecord): string {
  const scores = fieldOf(record, 'target_scores');
  const entries = isObject(scores) ? Object.entries(scores).filter(([, score]) => score === 1) : [];
  if (entries.length !== 1) throw new EvaluationError('lacks "target_scores" with one target of score 1');
  return entries[0]?.[0] as string;
}

/** What is between two marks of a text, or all of it where they are not there. */
export function between(text: string, after: string, before: string): string {
  const start = text.indexOf(after);
  const rest = start === -1 ? text : text.slice(start + after.length);
  const end = rest.indexOf(before);
  return (end === -1 ? rest : rest.slice(0, end)).trim();
}
