import { access, constants, realpath } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { calibrate as find, calibrateRules, fewestPrompts } from '../../calibrate/calibrate.ts';
import type { CalibrationProgress } from '../../calibrate/types.ts';
import { inPackage } from '../../here.ts';
import { setInManifest } from '../../manifest-edit.ts';
import { readPair } from '../../pair.ts';
import type { LoadOptions } from '../../types.ts';
import { readFlags } from '../args.ts';
import { calibrationReport } from '../calibration-report.ts';
import { exitCodes, fileFailure, UsageError } from '../failure.ts';
import { flagsNamed, groupsNamed, type FlagGroup } from '../flags.ts';
import { columnsOf } from '../layout.ts';
import { load } from '../load.ts';
import { readPromptFile } from '../prompt-file.ts';
import { bar, print, StatusLine } from '../terminal.ts';
import type { Command } from './command.ts';

/** γ is what is looked for, and both models take part. */
const unsuitable = ['mode', 'gamma', 'stop', 'no-stop', 'seed', 'prefill', 'fit'];

function suitable(group: FlagGroup): FlagGroup {
  return { ...group, flags: group.flags.filter(({ name }) => !unsuitable.includes(name)) };
}

export const calibrate: Command = {
  name: 'calibrate',
  summary: 'find gamma for a pair, and whether the pair fits together',
  usage: ['[--pair FILE] [flags]'],
  about: `No labels are needed: it looks at how sure both models are, and how much is nudged.
It answers some dozen prompts with gamma 0.4, chooses gamma, answers them again with that, and
corrects it. That takes as long as two to five times all those answers.

Without --target-rate, gamma is the certainty of the base below which the aligned model is on
average surer by --lambda, or less if more than 20 % of the tokens would be nudged. It says
nothing about whether answers are right: docs/calibration.md says what is measured, and how.`,
  groups: [
    {
      title: 'Calibration',
      flags: [
        {
          name: 'prompts',
          value: 'FILE',
          about: `prompts like those that the pair will get, at least ${fewestPrompts}: a question a line, or rows as for --input`,
          otherwise: '64 questions of eight kinds',
        },
        {
          name: 'target-rate',
          value: 'R',
          kind: 'number',
          rule: calibrateRules['targetRate'],
          about: 'share of nudged tokens to come to, such as 0.1',
          otherwise: 'what the bet says, at most 0.2',
        },
        {
          name: 'lambda',
          value: 'P',
          kind: 'number',
          rule: calibrateRules['lambda'],
          about: 'how much surer the aligned model must be where it is asked',
          otherwise: '0.1',
        },
        {
          name: 'rounds',
          value: 'N',
          kind: 'number',
          rule: calibrateRules['maxRounds'],
          about: 'how often all prompts are answered at most to correct gamma',
          otherwise: '4',
        },
        { name: 'write', about: "write gamma into the pair's manifest, unless the pair does not fit together" },
        { name: 'json', about: 'print what was found as one JSON object and nothing else' },
      ],
    },
    ...groupsNamed('models', 'generation', 'prompts', 'engine').map(suitable),
    { title: 'Output', flags: flagsNamed('thinking') },
  ],
  notes: `Examples
  nudging calibrate --pair my/pair.json --write
  nudging calibrate --base 70b.gguf --aligned 7b-chat.gguf --prompts mine.txt
  nudging calibrate --pair my/pair.json --target-rate 0.1 --json | jq .gamma

The exit code is 0 whatever the verdict is, and 1 if --write had nothing to write because of it.`,
  async run(argv, interrupt) {
    const { load: options, values, switches, words } = readFlags(this.groups, argv, this.name);
    if (words[0] !== undefined) throw new UsageError(`"${words[0]}" is no flag: questions go into a file, for --prompts`);
    if (options.pair === undefined && (options.base === undefined) !== (options.aligned === undefined))
      throw new UsageError('one model is half a pair: give --base and --aligned, or --pair');
    const manifest = switches.has('write') ? await writableManifest(options) : undefined;
    const file = values['prompts'] as string | undefined;
    const prompts = file === undefined ? undefined : await readPromptFile(file, '--prompts', fewestPrompts, options);

    const nudging = await load(options, interrupt.signal, switches.has('verbose'));
    const progress = new Progress();
    try {
      const found = await find(nudging, {
        ...(prompts === undefined ? {} : { prompts }),
        ...given(values, { 'target-rate': 'targetRate', lambda: 'lambda', rounds: 'maxRounds' }),
        signal: interrupt.signal,
        onProgress: progress.show,
      });
      progress.clear();
      print(switches.has('json') ? `${JSON.stringify(found)}\n` : calibrationReport(found, Math.min(80, columnsOf(process.stdout))));
      if (manifest === undefined) return exitCodes.ok;
      if (found.verdict === 'does not fit') {
        console.error(`nudging: nothing was written into "${manifest}": the pair does not fit together as it is set up`);
        return exitCodes.failed;
      }
      await setInManifest(manifest, 'gamma', found.gamma).catch((error: unknown) => {
        throw fileFailure(error, 'the file of --pair', manifest);
      });
      console.error(`wrote gamma ${found.gamma} into "${manifest}"`);
      return exitCodes.ok;
    } finally {
      progress.clear();
      await nudging.close();
    }
  },
};

/** Options by the names of their flags, as far as these were given. */
function given(values: Readonly<Record<string, unknown>>, names: Record<string, string>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(names).flatMap(([flag, option]) => (values[flag] === undefined ? [] : [[option, values[flag]]])),
  );
}

/** The manifest that --write is about. What stands in its way is said before hours of work, not after. */
async function writableManifest({ pair, base, aligned }: LoadOptions): Promise<string> {
  if (pair === undefined) throw new UsageError('--write needs a manifest to write into: name one with --pair');
  if (base !== undefined || aligned !== undefined)
    throw new UsageError('--write is for the models that the manifest names: leave out --base and --aligned, or --write');
  await readPair(pair);
  const file = await realpath(pair);
  if (file.startsWith(`${await realpath(inPackage('models'))}${sep}`))
    throw new UsageError(
      `"${pair}" belongs to the package, and the next update would undo it: copy it, with paths to its models, and name the copy`,
    );
  try {
    await access(file, constants.W_OK);
    await access(dirname(file), constants.W_OK);
  } catch (error) {
    throw fileFailure(error, 'the file of --pair', pair);
  }
  return pair;
}

const phases: Record<CalibrationProgress['phase'], string> = {
  record: 'answering with',
  ask: 'asking the aligned model about answers with',
  check: 'answering with',
  time: 'timing',
};

/** Off a terminal: a line for each phase, so that a log stays short. */
class Progress {
  readonly #status = new StatusLine(process.stderr);
  #said = '';

  readonly show = ({ phase, done, total, gamma }: CalibrationProgress): void => {
    const doing = `${phases[phase]} gamma ${gamma}`;
    if (process.stderr.isTTY) return this.#status.show(`${bar(done / total)} ${done} of ${total} prompts: ${doing}`);
    if (doing === this.#said) return;
    this.#said = doing;
    console.error(`${doing}: ${total} prompts`);
  };

  clear(): void {
    this.#status.clear();
  }
}
