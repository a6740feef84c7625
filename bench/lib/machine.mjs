import { freemem, loadavg } from 'node:os';
import { readFileSync } from 'node:fs';
import { availableCores } from '../../scripts/lib/cores.mjs';

/** The machine in words that do not name it. */
export function machine() {
  const { arch: architecture, platform, versions } = process;
  return { cores: availableCores(), architecture, instructions: instructions(), platform, node: versions.node.split('.')[0] };
}

/** What a report says of it. @param {Pick<ReturnType<typeof machine>, 'cores' | 'architecture' | 'instructions'>} of */
export const describeMachine = ({ cores, architecture, instructions: known }) =>
  `${cores} cores, ${architecture}${known.length > 0 ? ` with ${known.join(', ')}` : ''}`;

function instructions() {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? [];
    const names = { amx_tile: 'AMX', avx512f: 'AVX-512', avx2: 'AVX2' };
    return Object.entries(names)
      .filter(([flag]) => flags.includes(flag))
      .map(([, name]) => name)
      .filter((name, _, all) => name !== 'AVX2' || all.length === 1);
  } catch {
    return [];
  }
}

/** Processes that want a core, our own included, averaged over the last minute. */
export const load = () => Math.round((loadavg()[0] ?? 0) * 10) / 10;

/** Whether all rivals can stay loaded. @param {number} bytesOfAPair @param {number} count */
export const allFit = (bytesOfAPair, count) => bytesOfAPair * count * 2 < freemem() * 0.8;
