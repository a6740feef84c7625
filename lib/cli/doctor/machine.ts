import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { availableCores } from '../../../scripts/lib/cores.mjs';
import { installedGpuPackages } from '../../binary/packages.ts';
import { platformName, thisPlatform } from '../../binary/platform.ts';
import { buildCommand } from '../../build-command.ts';
import { NudgingError } from '../../errors.ts';
import { requireHere } from '../../here.ts';
import { hostMemory } from '../../host-memory.ts';
import { harmfulBuffers } from '../../kernels.ts';
import { addonBinary, loadNative, type NativeMachine } from '../../native.ts';
import { ownVersion } from '../../own-version.ts';
import { bytes, count } from '../terminal.ts';
import type { Finding } from './finding.ts';

/** What was found out about this machine and the binary on it. */
export interface Machine {
  nudging: string;
  /** Missing where the binary does not load. */
  llamaCpp?: string;
  runtime: string;
  platform: string;
  binary?: string;
  /** `NUDGING_BINARY`, `build`, or the package that it comes in. */
  from?: string;
  /** The level of CPU that was chosen among those of its package: v2, v3, icelake, sapphirerapids, dotprod or i8mm. */
  chosen?: string;
  /** Such as `x86-64-v3`: the processors that the binary was compiled for, as far as its features tell. */
  level?: string;
  /** What the binary was compiled for and with, by ggml's names. */
  features: Record<string, string>;
  cpu: {
    name: string;
    /** Of the machine, as the system counts them. */
    threads: number;
    /** That this process may use, by affinity and by a container's quota. */
    usable: number;
  };
  memory: { total: number; usable: number };
  devices: NativeMachine['devices'];
  /** Packages with binaries for GPUs that are installed, used or not. */
  gpuPackages: string[];
  /** The NVIDIA driver's version, if there is one. */
  nvidiaDriver?: string;
}

/** What it depends on; replaced in tests. */
export interface Source {
  platform: NodeJS.Platform;
  arch: string;
  read: (path: string) => string;
  native: () => { llamaVersion: string; machine(): NativeMachine };
}

const actual: Source = { platform: process.platform, arch: process.arch, read: (path) => readFileSync(path, 'utf8'), native: loadNative };

/** Features of x86 that ggml tells, and what /proc/cpuinfo calls them. */
const x86: Record<string, string> = {
  SSE3: 'pni',
  SSSE3: 'ssse3',
  AVX: 'avx',
  AVX2: 'avx2',
  F16C: 'f16c',
  FMA: 'fma',
  BMI2: 'bmi2',
  AVX_VNNI: 'avx_vnni',
  AVX512: 'avx512f',
  AVX512_VBMI: 'avx512vbmi',
  AVX512_VNNI: 'avx512_vnni',
  AVX512_BF16: 'avx512_bf16',
  AMX_INT8: 'amx_int8',
};

/** The level of the psABI whose features ggml tells are all there. */
function levelOf(features: Record<string, string>, arch: string): string | undefined {
  if (arch !== 'x64' || Object.keys(features).length === 0) return undefined;
  const has = (...names: string[]) => names.every((name) => features[name] === '1');
  if (has('AVX512', 'AVX2', 'FMA', 'F16C', 'BMI2')) return 'x86-64-v4';
  if (has('AVX2', 'FMA', 'F16C', 'BMI2')) return 'x86-64-v3';
  return has('SSSE3') ? 'x86-64-v2' : 'x86-64';
}

export async function examineMachine(source: Source = actual): Promise<{ machine: Machine; findings: Finding[] }> {
  const { platform, arch, read, native } = source;
  const text = (path: string) => {
    try {
      return read(path);
    } catch {
      return '';
    }
  };
  const findings: Finding[] = [];
  let known: NativeMachine = { devices: [], features: {} };
  let llamaCpp: string | undefined;
  try {
    const addon = native();
    llamaCpp = addon.llamaVersion;
    known = addon.machine();
  } catch (error) {
    if (!(error instanceof NudgingError)) throw error;
    findings.push({ level: 'mend', what: error.message });
  }
  const [usable, threads] = [availableCores(), availableParallelism()];
  const driver = /Kernel Module\s+(?:for \S+\s+)?([\d.]+)/.exec(text('/proc/driver/nvidia/version'))?.[1];
  const level = levelOf(known.features, arch);
  const binary = addonBinary();
  const machine: Machine = {
    nudging: ownVersion(),
    ...(llamaCpp === undefined ? {} : { llamaCpp }),
    runtime: runtimeName(),
    platform: `${platform}-${arch}`,
    ...(binary === undefined ? {} : { binary: binary.path, from: binary.from, ...(binary.level ? { chosen: binary.level } : {}) }),
    ...(level === undefined ? {} : { level }),
    features: known.features,
    cpu: { name: cpus()[0]?.model.trim() || 'unknown', threads: cpus().length || threads, usable },
    memory: { total: totalmem(), usable: hostMemory() },
    devices: known.devices,
    gpuPackages: installedGpuPackages(platformName(thisPlatform()), requireHere()),
    ...(driver === undefined ? {} : { nvidiaDriver: driver }),
  };
  findings.push(...cpuFindings(machine, flagsOf(text('/proc/cpuinfo')), arch));
  if (llamaCpp !== undefined) {
    findings.push(...gpuFindings(machine));
    for (const { message } of await harmfulBuffers()) findings.push({ level: 'beware', what: message });
  }
  if (machine.memory.usable < 1 << 30) {
    const left = `only ${bytes(machine.memory.usable)} of memory are free for this process`;
    findings.push({ level: 'beware', what: `${left}: small models alone will fit; end other programs, or give the container more` });
  }
  return { machine, findings };
}

function flagsOf(cpuinfo: string): ReadonlySet<string> {
  return new Set((/^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] ?? '').split(/\s+/).filter(Boolean));
}

/** What the binary needs and the processor lacks, and the other way round. */
export function cpuFindings({ features, cpu }: Pick<Machine, 'features' | 'cpu'>, flags: ReadonlySet<string>, arch: string): Finding[] {
  const findings: Finding[] = [];
  if (arch === 'x64' && flags.size > 0 && Object.keys(features).length > 0) {
    const names = Object.keys(x86);
    const lacks = names.filter((name) => features[name] === '1' && !flags.has(x86[name] as string));
    const unused = names.filter((name) => features[name] !== '1' && flags.has(x86[name] as string));
    if (lacks.length > 0)
      findings.push({
        level: 'mend',
        what: `the binary uses ${lacks.join(', ')}, which this processor does not have: build it for this machine with "${buildCommand()}"`,
      });
    if (unused.length > 0)
      findings.push({
        level: 'beware',
        what: `the processor has ${unused.join(', ')}, which the binary does not use: "${buildCommand()}" here may make it faster`,
      });
  }
  if (cpu.usable < cpu.threads)
    findings.push({
      level: 'beware',
      what: `this process may use ${count(cpu.usable, 'core')} of ${cpu.threads} (affinity, or a container's quota): more make it faster`,
    });
  return findings;
}

type Gpus = Pick<Machine, 'devices' | 'gpuPackages' | 'nvidiaDriver' | 'features'>;

/** Why models run on the CPU where somebody might expect a GPU. */
export function gpuFindings({ devices, gpuPackages, nvidiaDriver, features }: Gpus): Finding[] {
  if (devices.some(({ kind }) => kind === 'gpu' || kind === 'igpu')) return [];
  if (nvidiaDriver === undefined) {
    if (gpuPackages.length === 0) return [];
    const what = `${gpuPackages.join(' and ')} is installed, and there is no GPU here that it could use: models run on the CPU`;
    return [{ level: 'beware', what: `${what} (docs/gpu.md)` }];
  }
  // With a backend and a driver there would be a device.
  const built = Object.keys(features).some((name) => name.startsWith('ARCHS'));
  const none = 'the binary has no GPU backend: @nudging/linux-x64-cuda has one, and npm run build:cuda in a checkout builds it';
  const why = built ? 'the binary finds no GPU through it' : none;
  return [{ level: 'beware', what: `there is an NVIDIA driver (${nvidiaDriver}), and ${why} (docs/gpu.md)` }];
}

function runtimeName(): string {
  const { bun, deno, node } = process.versions as Record<string, string | undefined>;
  return bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : `Node.js ${node}`;
}
