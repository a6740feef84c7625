import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';

/** The processes that this process has started, in order. Node tells of each; the engine has no need to show its own. */
export const children: ChildProcess[] = [];
subscribe('child_process', (message) => children.push((message as { process: ChildProcess }).process));

/** The latest of them. */
export function newestChild(): ChildProcess & { pid: number } {
  const child = children.at(-1);
  if (child?.pid === undefined) throw new Error('no process was started');
  return child as ChildProcess & { pid: number };
}

/** Whether a process runs; one that has ended and that nobody has asked about (a zombie) does not. */
export function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // The state is behind the name, which is in parentheses and may hold anything.
    return process.platform !== 'linux' || !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Resolves when a process has ended. */
export async function gone(pid: number, withinMs = 10_000): Promise<void> {
  const until = Date.now() + withinMs;
  while (runs(pid)) {
    if (Date.now() > until) throw new Error(`process ${pid} still runs after ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
