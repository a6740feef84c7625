import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const fakeAddon = fileURLToPath(new URL('./fake-addon.cjs', import.meta.url));

export interface Ran {
  stdout: string;
  stderr: string;
  code: number | string | null;
}

export interface Setting {
  /** What is piped in; without it standard input is empty. `open`: a pipe that nobody writes to. */
  input?: string | { open: true };
  env?: NodeJS.ProcessEnv;
  /** In a process group of its own, so that a signal can be sent to all of it as a terminal does. */
  group?: boolean;
  /** Runs on the scripted engine of fake-addon.cjs, where time matters and text does not. */
  fake?: boolean;
  /** As it stands, also with real models: a command begins with its name. */
  raw?: boolean;
}

/** The built command, and the environment that it runs in. */
export function command(args: string[], { env = {}, fake = false }: Setting): { argv: string[]; env: NodeJS.ProcessEnv } {
  const { FORCE_COLOR, NO_COLOR, ...inherited } = process.env;
  return {
    argv: [process.execPath, main, ...args],
    env: { ...inherited, ...(fake ? { NUDGING_BINARY: fakeAddon } : {}), ...env },
  };
}

/** Starts the built command in a process of its own. */
export function start(args: string[], setting: Setting = {}): { child: ChildProcess; ran: Promise<Ran> } {
  const { input, group = false } = setting;
  const {
    argv: [program = '', ...rest],
    env,
  } = command(args, setting);
  const child = spawn(program, rest, {
    env,
    detached: group,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  if (typeof input === 'string') child.stdin?.end(input);
  const collect = (stream: NodeJS.ReadableStream | null) => {
    const chunks: Buffer[] = [];
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
    return () => Buffer.concat(chunks).toString('utf8');
  };
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const ran = new Promise<Ran>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ stdout: stdout(), stderr: stderr(), code: signal ?? code }));
  });
  return { child, ran };
}

/** Runs the command. One thread is quickest for models this small. */
export function nudging(args: string[], setting?: Setting): Promise<Ran> {
  return start(setting?.fake || setting?.raw ? args : ['--threads', '1', ...args], setting).ran;
}

/** Resolves when a child's output first holds this text. */
export function shows(child: ChildProcess, text: string, on: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
  let seen = '';
  return new Promise((resolve, reject) => {
    child[on]?.on('data', (chunk: Buffer) => {
      seen += chunk.toString('utf8');
      if (seen.includes(text)) resolve();
    });
    child.on('close', () => reject(new Error(`the command ended without showing ${JSON.stringify(text)}`)));
  });
}

/** The rows of a JSONL text. */
export function jsonLines(text: string): any[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}
