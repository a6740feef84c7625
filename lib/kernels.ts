import { pathToFileURL } from 'node:url';
import { inPackage } from './here.ts';
import { addonBinary } from './native.ts';

interface Harm {
  buffer: string;
  type: string;
  how: string;
}

/** What scripts/lib/kernels.mjs has, which the build uses before this library is compiled. */
interface KernelCheck {
  harmfulKernels(addon: string): Promise<Harm[]>;
  describeHarm(harm: Harm): string;
}

/** ggml's names of its extra CPU buffers, by ours. */
const ggmlNames = { amx: 'AMX', repack: 'CPU_REPACK', kleidiai: 'CPU_KLEIDIAI', spacemit: 'CPU_RISCV64_SPACEMIT' } as const;

/** Names that `cpuBuffers` takes. */
export const cpuBufferNames = Object.keys(ggmlNames) as (keyof typeof ggmlNames)[];

/** ggml's names of what `cpuBuffers` allows; nothing: all. Checked before. */
export function allowedBuffers(chosen: string | readonly string[]): string[] | undefined {
  if (typeof chosen === 'string') return chosen.toLowerCase() === 'plain' ? [] : undefined;
  return chosen.map((name) => ggmlNames[name.toLowerCase() as keyof typeof ggmlNames]);
}

/** Names with commas between them, as `cpuBuffers` has them. They are not checked. */
export function buffersIn(text: string): string | string[] {
  const names = text.split(',').map((name) => name.trim());
  return names.length === 1 && /^(all|plain)$/i.test(names[0] ?? '') ? (names[0] as string) : names;
}

/** What NUDGING_CPU_BUFFERS says; nothing if it is not set. */
export function buffersFromEnvironment(): string | string[] | undefined {
  const text = process.env['NUDGING_CPU_BUFFERS'];
  return text ? buffersIn(text) : undefined;
}

let known: Promise<{ buffer: string; message: string }[]> | undefined;

/**
 * The extra CPU buffers with a kernel that crashed or multiplied wrongly when all were tried in a process of their own: by the build, or by
 * the first load on this machine. Found out once in a process.
 */
export function harmfulBuffers(): Promise<{ buffer: string; message: string }[]> {
  known ??= findHarm();
  return known;
}

async function findHarm(): Promise<{ buffer: string; message: string }[]> {
  const addon = addonBinary()?.path;
  // A script in place of the addon, as in tests, has no kernels.
  if (!addon?.endsWith('.node')) return [];
  // Not compiled into dist/: the build runs it too.
  const module = pathToFileURL(inPackage('scripts/lib/kernels.mjs')).href;
  const { harmfulKernels, describeHarm } = (await import(/* webpackIgnore: true */ /* @vite-ignore */ module)) as KernelCheck;
  const harmful = await harmfulKernels(addon);
  return harmful.map((harm) => ({ buffer: harm.buffer, message: describeHarm(harm) }));
}
