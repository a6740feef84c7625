import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const index = new URL('../../dist/index.js', import.meta.url).href;

/** What each script begins with. */
export const prelude = `import { Nudging } from ${JSON.stringify(index)}; const question = 'What is a harbor?';\n`;

/** Runs a module in a process of its own: how it ends is what is tested. */
export async function script(body: string, ...flags: string[]): Promise<{ stdout: string; stderr: string; code: number | string }> {
  try {
    const { stdout, stderr } = await run(process.execPath, [...flags, '--input-type=module', '-e', prelude + body], {
      timeout: 30_000,
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
    });
    return { stdout, stderr, code: 0 };
  } catch (error) {
    const { stdout, stderr, code, signal } = error as { stdout: string; stderr: string; code: number; signal: string };
    return { stdout, stderr, code: signal ?? code };
  }
}
