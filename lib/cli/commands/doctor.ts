import { number } from '../../options.ts';
import { readFlags, refuseHalfPair } from '../args.ts';
import type { Finding } from '../doctor/finding.ts';
import { examineMachine, type Machine } from '../doctor/machine.ts';
import { examinePair, type PairReport } from '../doctor/pair.ts';
import { exitCodes, UsageError } from '../failure.ts';
import { flagsNamed, groupsNamed } from '../flags.ts';
import { columnsOf, entry, prose } from '../layout.ts';
import { bytes, count, harmless, percent, print, rate } from '../terminal.ts';
import type { Command } from './command.ts';

/** How long is measured, in seconds. */
const usual = 5;

export const doctor: Command = {
  name: 'doctor',
  summary: 'say whether it works here, and how fast a pair will be',
  usage: ['[flags]'],
  about: `Looks at the binary, the processor, memory and GPUs, then loads a pair (the demonstration pair unless another is named), and \
measures for some seconds how fast the base alone, the aligned model alone and both together are. What should be mended comes last, with \
what to do about it. Nothing is downloaded: of models by name that are not in the cache it says how large they are.`,
  groups: [
    {
      title: 'Examination',
      flags: [
        {
          name: 'seconds',
          value: 'N',
          kind: 'number',
          rule: number(0, 600),
          about: 'how long to measure; 0: not at all',
          otherwise: String(usual),
        },
        { name: 'json', about: 'print one JSON object' },
      ],
    },
    { title: 'Prompts', flags: flagsNamed('base-prompt', 'aligned-prompt', 'template-option') },
    ...groupsNamed('models', 'engine').map((group) => ({ ...group, flags: group.flags.filter(({ name }) => name !== 'parallel') })),
  ],
  notes: `Exit code 1 means that something must be mended before it works, 0 that it works.`,
  async run(argv, interrupt) {
    const { load, values, switches, words } = readFlags(this.groups, argv, this.name);
    if (words.length > 0)
      throw new UsageError(`doctor takes no words: leave out "${words[0]}", or name models with --pair, --base and --aligned`);
    refuseHalfPair(load);
    const { machine, findings } = await examineMachine();
    let pair: PairReport | undefined;
    // Without a binary there is nothing to load with.
    if (machine.llamaCpp !== undefined) {
      const examined = await examinePair(load, (values['seconds'] as number | undefined) ?? usual, interrupt.signal);
      pair = examined.pair;
      findings.push(...examined.findings);
    }
    const works = !findings.some(({ level }) => level === 'mend');
    if (switches.has('json')) print(`${JSON.stringify({ works, machine, ...(pair ? { pair } : {}), findings })}\n`);
    else print(report(machine, pair, findings, columnsOf(process.stdout)));
    return interrupt.exitCode ?? (works ? exitCodes.ok : exitCodes.failed);
  },
};

type Row = [name: string, value: string | undefined];

function report(machine: Machine, pair: PairReport | undefined, findings: readonly Finding[], columns: number): string {
  const list = (rows: Row[]) =>
    rows
      .filter((row): row is [string, string] => row[1] !== undefined && row[1] !== '')
      .map(([name, value]) => entry(name, harmless(value), 16, columns))
      .join('');
  const sorted = [...findings].sort((one, other) => Number(one.level === 'beware') - Number(other.level === 'beware'));
  const verdict = findings.some(({ level }) => level === 'mend') ? 'It does not work like this.' : 'It works.';
  return [
    `This machine\n${list(machineRows(machine))}`,
    ...(pair ? [`The pair\n${list(pairRows(pair))}`] : []),
    ...sorted.map(({ level, what }) => prose(`${level === 'mend' ? 'To mend' : 'Beware'}: ${harmless(what)}.`, columns)),
    `${verdict}\n`,
  ].join('\n');
}

function machineRows({
  nudging,
  llamaCpp,
  runtime,
  platform,
  binary,
  from,
  chosen,
  level,
  features,
  cpu,
  memory,
  devices,
  nvidiaDriver,
}: Machine): Row[] {
  const on = Object.entries(features).flatMap(([name, value]) => (value === '0' ? [] : [value === '1' ? name : `${name} ${value}`]));
  const gpus = devices.filter(({ kind }) => kind !== 'cpu');
  return [
    ['nudging', `${nudging} (${llamaCpp === undefined ? 'its binary does not load' : `llama.cpp ${llamaCpp}`}), ${runtime}, ${platform}`],
    ['binary', binary],
    ['comes from', [from, chosen && `level ${chosen}`].filter(Boolean).join(', ')],
    ['built for', [level, on.join(', ')].filter(Boolean).join(': ')],
    ['processor', `${cpu.name}, ${count(cpu.threads, 'thread')}, of which ${cpu.usable} may be used`],
    ['memory', `${bytes(memory.usable)} of ${bytes(memory.total)} are free for this process`],
    ['GPU', llamaCpp === undefined ? undefined : gpus.map(gpu).join('; ') || 'none that this binary can use'],
    ['NVIDIA driver', nvidiaDriver],
  ];
}

function gpu({ name, description, free, total }: Machine['devices'][number]): string {
  return `${name} (${description}), ${bytes(free)} of ${bytes(total)} free`;
}

function pairRows({ base, aligned, missing, fits, needed, available, models, deterministic, speed, ratio, nudgeRatio }: PairReport): Row[] {
  // llama.cpp's word for a size that it has no name for.
  const model = (lane: 'base' | 'aligned', path: string) =>
    models ? `${path} (${models[lane].description.replace(' ?B', '')}), context ${count(models[lane].context, 'token')}` : path;
  const mapped = models ? models.base.memory.mapped + models.aligned.memory.mapped : 0;
  return [
    ['base', model('base', base)],
    ['aligned', model('aligned', aligned)],
    ['download', missing?.map(({ lane, download }) => `${bytes(download)} for the ${lane} model`).join(', ')],
    [
      'memory',
      needed === undefined
        ? undefined
        : missing
          ? `more than the ${bytes(needed)} of the files, and ${bytes(available ?? 0)} are free`
          : fits
            ? `takes ${bytes(needed)}${mapped > 0 ? `, ${bytes(mapped)} of it pages of the files` : ''}`
            : `would take ${bytes(needed)}${available === undefined ? '' : `, and ${bytes(available)} are free`}`,
    ],
    [
      'GPU layers',
      models && models.base.gpuLayers + models.aligned.gpuLayers > 0
        ? `${layers(models.base)} of the base, ${layers(models.aligned)} of the aligned model`
        : undefined,
    ],
    ['deterministic', deterministic === undefined ? undefined : deterministic ? 'yes' : 'no'],
    ['base alone', speed && `${rate(speed.base)} tokens/s`],
    ['aligned alone', speed && `${rate(speed.aligned)} tokens/s`],
    ['together', speed && together(speed.nudge, ratio, nudgeRatio)],
  ];
}

/** `33 (CUDA0 17, CUDA1 16)`. */
function layers({ gpuLayers, devices }: { gpuLayers: number; devices: Record<string, number> }): string {
  const places = Object.entries(devices).map(([name, some]) => (some === gpuLayers ? name : `${name} ${some}`));
  return places.length === 0 ? String(gpuLayers) : `${gpuLayers} (${places.join(', ')})`;
}

function together(speed: number, ratio: number | undefined, nudgeRatio: number | undefined): string {
  const parts = [
    `${rate(speed)} tokens/s`,
    ratio === undefined ? '' : `${rate(ratio)} times the base alone`,
    nudgeRatio === undefined ? '' : `${percent(nudgeRatio)} nudged`,
  ];
  return parts.filter(Boolean).join(', ');
}
