import type { FlagGroup } from '../flags.ts';
import type { Interrupt } from '../interrupt.ts';

/**
 * A subcommand, `nudging NAME …`. Each is a file of this folder with one of these, and a line of the table in index.ts. Its help, the list
 * of commands, completion and docs/cli.md's test come from here.
 */
export interface Command {
  name: string;
  /** For the list of commands: what it does, on one line of at most 60 columns, without a full stop. */
  summary: string;
  /** What may stand behind `nudging NAME`, a way each, such as `"question" [flags]`. */
  usage: readonly string[];
  /** More about it, in paragraphs that are wrapped where the terminal ends. A paragraph whose lines are indented stays as it is. */
  about?: string;
  /** Flags. `groupsNamed` and `flagsNamed` (flags.ts) give those of other commands; `--verbose` and `--help` are added. */
  groups: readonly FlagGroup[];
  /** Paragraphs behind the flags, as `about`. */
  notes?: string;
  /** The whole text of its help, of a command that is not described by the above. */
  help?: (columns: number) => string | Promise<string>;
  /**
   * Runs it. `--help` is dealt with before, and what it throws is shown as one line with an exit code of failure.ts (UsageError: 2).
   *
   * @param argv what stands behind the name; read it with `readFlags(groups, argv, name)` of args.ts
   * @returns the exit code, one of failure.ts
   */
  run(argv: readonly string[], interrupt: Interrupt): Promise<number>;
}
