import { reject } from './options.ts';
import { readRule, isRuleFault } from './rule.ts';
import { isTokenRule } from './token-rules.ts';
import type { GenerateOptions, Mode } from './types.ts';

const mixing = ['ensemble', 'proxy-tuning'] as const;

/**
 * Options that choose or shape a method, and the modes that look at them. What a mode looks at more or less, such as `gamma` and
 * `lookahead`, is not among them: those are settings that one may well keep while one changes the mode.
 */
export const optionsOfModes: Readonly<Partial<Record<keyof GenerateOptions, readonly Mode[]>>> = {
  weights: ['ensemble'],
  alpha: ['proxy-tuning'],
  unit: mixing,
  compat: mixing,
  inContextPrompt: ['in-context'],
  rule: ['nudge'],
  endRule: ['nudge'],
  shortDrafts: ['nudge'],
  lead: ['nudge', 'reverse'],
  signals: ['nudge'],
  punctuation: ['reverse'],
};

/** Of these, what a rule of single tokens does not look at: it has no drafts, and no words (docs/semantics.md, R33 to R37). */
const wordOptions = ['endRule', 'shortDrafts', 'lead', 'signals'] as const satisfies (keyof GenerateOptions)[];

/**
 * Refuses options that were set for a generation which does not look at them: whoever sets `rule` for an ensemble expects something of it.
 *
 * @param given what was set together, and not the defaults of an engine, which may be there for another mode
 * @param settings the same with those defaults
 * @throws NudgingError ERR_INVALID_OPTION
 */
export function mustBeUsed(given: GenerateOptions, settings: GenerateOptions): void {
  const mode = settings.mode ?? 'nudge';
  for (const [option, modes] of Object.entries(optionsOfModes)) {
    const value = given[option as keyof GenerateOptions];
    if (value === undefined || modes.includes(mode)) continue;
    const theirs = modes.map((one) => `"${one}"`).join(' or ');
    reject(option, value, `left out where \`mode\` is "${mode}": it is for ${theirs}`);
  }
  if (settings.compat !== undefined && given.unit !== undefined)
    reject('unit', given.unit, 'left out with `compat: "paper"`, which compares what tokens spell');
  const rule = readRule(settings.rule ?? 'top1');
  if (mode !== 'nudge' || isRuleFault(rule) || !isTokenRule(rule)) return;
  for (const option of wordOptions) {
    if (given[option] === undefined) continue;
    reject(option, given[option], `left out with the rule "${rule.name}", which goes token by token and has neither drafts nor words`);
  }
}

/** Settings without those that a mode does not look at: of somebody who keeps them for another mode, as a chat does. */
export function usedBy<T extends GenerateOptions>(mode: Mode, settings: T): T {
  const unused = (option: string) => optionsOfModes[option as keyof GenerateOptions]?.includes(mode) === false;
  return Object.fromEntries(Object.entries(settings).filter(([option]) => !unused(option))) as T;
}
