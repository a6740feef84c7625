import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';

/**
 * Asks somebody at a terminal for a yes. Anything else is a no, and so is the end of the input (Ctrl-D).
 *
 * @throws the signal's reason
 */
export async function confirmed(
  question: string,
  signal: AbortSignal,
  input: NodeJS.ReadableStream = process.stdin,
  output: NodeJS.WritableStream = process.stderr,
): Promise<boolean> {
  const terminal = createInterface({ input, output });
  // It would keep Ctrl-C to itself.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    const answer = await Promise.race([terminal.question(`${question} [y/N] `, { signal }), once(terminal, 'close').then(() => '')]);
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    signal.throwIfAborted();
    output.write('\n');
    return false;
  } finally {
    terminal.close();
  }
}
