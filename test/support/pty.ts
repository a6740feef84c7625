import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { command } from './cli.ts';

const harness = fileURLToPath(new URL('./on_terminal.py', import.meta.url));

/** Whether this machine has a terminal to give: Python's pty module, and the kernel's. */
export const hasPty =
  process.platform !== 'win32' && spawnSync('python3', ['-c', 'import pty, os; os.close(pty.openpty()[0])']).status === 0;

export type Step = { expect: string } | { send: string } | { pause: number } | { resize: number };

export interface Played {
  /** All that the terminal was sent. */
  output: string;
  code: number;
}

/** Plays a script with the command on a terminal. Rejects with what was seen if something expected is not shown. */
export function play(
  args: string[],
  steps: Step[],
  { columns = 80, env = {}, fake = false }: { columns?: number; env?: NodeJS.ProcessEnv; fake?: boolean } = {},
): Promise<Played> {
  const { argv, env: own } = command(args, { fake, env: { TERM: 'xterm-256color', ...env } });
  const child = spawn('python3', [harness], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify({ argv, env: own, columns, steps }));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', () => {
      const said = Buffer.concat(chunks).toString('utf8');
      if (said === '') return reject(new Error('the script could not be played: standard error says why'));
      const { output, code, problem } = JSON.parse(said) as Played & { problem: string | null };
      if (problem === null) resolve({ output, code });
      else reject(new Error(`the command ${problem}; it showed ${JSON.stringify(output)}`));
    });
  });
}
