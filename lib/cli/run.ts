import { commandLike, commandNamed } from './commands/index.ts';
import { describe, exitCodeOf, exitCodes } from './failure.ts';
import { columnsOf, commandHelp } from './help.ts';
import { Interrupt } from './interrupt.ts';
import { print } from './terminal.ts';

/** Runs a command line. Returns the exit code; never throws. */
export async function run(argv: readonly string[]): Promise<number> {
  endWithTheReader();
  const interrupt = new Interrupt();
  try {
    return await runCommand(argv, interrupt);
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

/** A command is the first word, or else the command line is a question. */
async function runCommand(argv: readonly string[], interrupt: Interrupt): Promise<number> {
  const named = await commandNamed(argv[0]);
  // A question may be called like a command: then it stands behind the word generate, and all flags are that one's.
  if (named === undefined || named.name === 'generate') {
    const { generate } = await import('./commands/generate.ts');
    hintAtCommand(argv);
    return generate.run(argv, interrupt);
  }
  const rest = argv.slice(1);
  if (wantsHelp(rest)) {
    print(await commandHelp(named, columnsOf(process.stdout)));
    return exitCodes.ok;
  }
  return named.run(rest, interrupt);
}

/** Help must be reachable from a command line that is wrong otherwise. */
function wantsHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).some((word) => word === '--help' || word === '-h');
}

/** One word may be a question or a misspelt command. It is answered, and somebody who watches is told of the other. */
function hintAtCommand([word = '', next = '-']: readonly string[]): void {
  const meant = process.stderr.isTTY && next.startsWith('-') ? commandLike(word) : undefined;
  if (meant !== undefined) console.error(`nudging: "${word}" is asked as a question; the command is nudging ${meant}`);
}

/** `nudging … | head` has what it wanted when head goes away: no error, and nothing more to compute. */
function endWithTheReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') console.error(`nudging: standard output cannot be written (${error.message}): check the disk it goes to`);
    process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed);
  });
  process.stderr.on('error', () => {});
}
