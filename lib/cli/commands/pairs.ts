import { hostMemory } from '../../host-memory.ts';
import { memoryOf, presetNamed, presetNames, usualContext, type Preset } from '../../presets.ts';
import { fileOf } from '../../remote/model.ts';
import { readFlags } from '../args.ts';
import { exitCodes, UsageError } from '../failure.ts';
import { columnsOf, entry, prose } from '../layout.ts';
import { columns } from '../table.ts';
import { bytes as size, parameters as inWords, print } from '../terminal.ts';
import type { Command } from './command.ts';

export const pairs: Command = {
  name: 'pairs',
  summary: 'list pairs of models that --pair knows by name',
  usage: ['[NAME] [flags]'],
  about: `Lists the pairs that --pair, load({ pair }) and nudging pull take by name: how much there is to
download, how much memory they take (weights, and caches for ${usualContext} tokens of context; an estimate), and whether
that much is free here at the moment. With a NAME, says all that is known of one: its models, their
licences, where γ is from, and whether it was measured for this project.`,
  groups: [
    { title: 'Output', flags: [{ name: 'json', about: 'print a JSON array: what models/presets/NAME.json says, memory and fits' }] },
  ],
  notes: `Two more come with the package: demo, which is taken where none is named, and harbor (models/harbor/README.md).
A file wins over a pair of the same name. GPUs are not looked at: what fits into their memory need not fit here.

Example
  nudging --pair gemma-3-270m "What is a harbor?"`,
  async run(argv) {
    const { words, switches } = readFlags(this.groups, argv, this.name);
    const names = await presetNames();
    const unknown = words.find((word) => !names.includes(word));
    if (unknown !== undefined) throw new UsageError(`there is no pair "${unknown}": it must be one of ${names.join(', ')}`);
    const presets = (await Promise.all((words.length > 0 ? words : names).map(presetNamed))).filter((preset) => preset !== undefined);
    const free = hostMemory();
    const known = presets.map((preset) => ({ ...preset, memory: memoryOf(preset), fits: memoryOf(preset) <= free }));
    if (switches.has('json')) print(`${JSON.stringify(known)}\n`);
    else if (words.length > 0) print(known.map((preset) => described(preset, columnsOf(process.stdout))).join('\n'));
    else print(listOf(known, free, process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY));
    return exitCodes.ok;
  },
};

type Known = Preset & { memory: number; fits: boolean };

const isUnverified = ({ models }: Preset) => models.base.unverified === true || models.aligned.unverified === true;

/** A table, or where that is too wide three lines for each pair. */
function listOf(known: readonly Known[], free: number, room: number): string {
  const width = columnsOf(process.stdout);
  const rows = known.map((preset) => {
    const { name, models, memory, fits, measured, description } = preset;
    const notes = [measured === notMeasured ? '' : 'measured', isUnverified(preset) ? 'unverified' : ''].filter(Boolean).join(', ');
    const download = size(models.base.bytes + models.aligned.bytes);
    return { name, download, memory: size(memory), fits, notes, about: firstSentence(description) };
  });
  const cells = rows.map(({ name, download, memory, fits, notes, about }) => [name, download, memory, fits ? 'yes' : 'no', notes, about]);
  const table = columns([['pair', 'download', 'memory', 'fits', '', 'models'], ...cells], [1, 2]);
  const lines = rows.map(({ name, download, memory, fits, notes, about }) => {
    const facts = `${download} to download, ${memory} of memory: ${fits ? 'fits' : 'does not fit'}${notes === '' ? '' : `; ${notes}`}`;
    return `${name}\n${[about, facts].map((line) => prose(line, width - 2).replace(/^(?=.)/gm, '  ')).join('')}`;
  });
  const isTooWide = table.split('\n').some((line) => line.length > room);
  const legend = known.some(isUnverified) ? ' Unverified: nobody has seen for this project that the files have these names.' : '';
  const below = prose(`${size(free)} of memory are free. nudging pairs NAME says more.${legend}`, width);
  return `${isTooWide ? lines.join('') : table}\n${below}`;
}

const notMeasured = 'not measured here';

function firstSentence(text: string): string {
  return text.split(/(?<=\.) /)[0]?.replace(/\.$/, '') ?? '';
}

function described(preset: Known, width: number): string {
  const { name, description, pair, models, memory, fits, gammaFrom, measured } = preset;
  const row = (head: string, text: string) => entry(head, text, 11, width);
  const lane = (of: 'base' | 'aligned') => {
    const { parameters, bytes, license, page, unverified } = models[of];
    const doubt = unverified ? row('', 'unverified: nobody has seen for this project that the repository has such a file') : '';
    const about = row('', `${inWords(parameters)} parameters, ${size(bytes)}, licence ${license}, ${page}`);
    return `${row(of, fileOf(pair[of]))}${about}${doubt}`;
  };
  const gamma = pair.gamma === undefined ? 'default; nobody has published one for it' : `${pair.gamma} (${gammaFrom})`;
  return [
    prose(`${name}: ${description}`, width),
    lane('base'),
    lane('aligned'),
    row('memory', `${size(memory)}, ${fits ? 'fits here' : 'more than is free here'}`),
    row('gamma', gamma),
    row('measured', measured),
  ].join('');
}
