import { loadNative } from '../native.ts';
import { readArguments } from './args.ts';
import { batch } from './batch.ts';
import { describe, exitCodeOf, exitCodes } from './failure.ts';
import { generate } from './generate.ts';
import { helpText } from './help.ts';
import { Interrupt } from './interrupt.ts';
import { packageVersion } from './version.ts';

/** Runs a command line. Returns the exit code; never throws. */
export async function run(argv: readonly string[]): Promise<number> {
  endWithTheReader();
  const interrupt = new Interrupt();
  try {
    const args = readArguments(argv);
    if (args.action === 'help') return print(helpText());
    if (args.action === 'version') return print(versionText());
    return await (args.input === undefined ? generate(args, interrupt) : batch({ ...args, input: args.input }, interrupt));
  } catch (error) {
    // Whatever an interrupted command runs into is a consequence of that.
    if (interrupt.exitCode !== undefined) {
      console.error('nudging: interrupted');
      return interrupt.exitCode;
    }
    console.error(`nudging: ${describe(error)}`);
    // The arguments themselves may be what failed, so the switch is looked up by hand.
    if (argv.includes('--verbose')) console.error(error);
    return exitCodeOf(error);
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return exitCodes.ok;
}

function versionText(): string {
  let engine: string;
  try {
    engine = `llama.cpp ${loadNative().llamaVersion}`;
  } catch {
    engine = 'its native addon is not built';
  }
  return `nudging ${packageVersion()} (${engine})\n`;
}

/** `nudging … | head` has what it wanted when head goes away: no error, and nothing more to compute. */
function endWithTheReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') console.error(`nudging: standard output cannot be written (${error.message}): check the disk it goes to`);
    process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed);
  });
  process.stderr.on('error', () => {});
}
