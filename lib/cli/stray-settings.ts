import { edits } from '../nearest.ts';
import { loadRules } from '../options.ts';
import { inFlagNames } from './flags.ts';

/** Prompts, which rows do hold, and what JSON cannot express or whose name is too common a word for data. */
const notMeant: ReadonlySet<string> = new Set(['base', 'aligned', 'pair', 'signal', 'onProgress', 'onWarning']);
const options = Object.keys(loadRules).filter((option) => !notMeant.has(option));

/** As other programs write names: `max_tokens`, `Max-Tokens`. */
const plain = (name: string) => name.toLowerCase().replace(/[_\s-]/g, '');
const byPlainName = new Map(options.map((option) => [plain(option), option]));

/**
 * The option that a field of a row was probably meant to set, though rows hold prompts and no settings. Data has fields of all names, so a
 * misspelt one must be near (one letter off, two for long names, never the first), and the value must be one that the option could have:
 * `"context": "a passage"` is data.
 */
export function meantOption(name: string, value: unknown): string | undefined {
  const written = plain(name);
  const exact = byPlainName.get(written);
  if (exact !== undefined) return couldBe(exact, value) || typeof value === 'number' || typeof value === 'boolean' ? exact : undefined;
  for (const [option, spelt] of byPlainName) {
    const most = option.length >= 10 ? 2 : option.length >= 5 ? 1 : 0;
    const near = option[0] === written[0] && Math.abs(option.length - written.length) <= most && edits(option, written) <= most;
    if (near && couldBe(spelt, value)) return spelt;
  }
  return undefined;
}

function couldBe(option: string, value: unknown): boolean {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  return loadRules[option]?.check(value) === true || loadRules[option]?.check(number) === true;
}

/** Warns of fields that look like settings: once for each name, where it comes first. */
export class StraySettings {
  readonly #seen = new Set<string>();

  /** @param where such as `line 3 of in.jsonl` @returns lines for people */
  warnings(where: string, row: Record<string, unknown>): string[] {
    const lines: string[] = [];
    for (const [name, value] of Object.entries(row)) {
      if (this.#seen.has(name)) continue;
      const option = meantOption(name, value);
      if (option === undefined) continue;
      this.#seen.add(name);
      lines.push(`${where} has a field ${JSON.stringify(name)}, which is carried along and sets nothing: ${remedyFor(option)}`);
    }
    return lines;
  }
}

function remedyFor(option: string): string {
  const flag = inFlagNames(`\`${option}\``);
  if (flag.startsWith('--')) return `"${option}" is set for all rows, with ${flag}`;
  return `"${option}" is an option of the library, and this command has no flag for it`;
}
