import { jsonLines, start, type Ran, type Setting } from './cli.ts';

/** A `nudging serve` in a process of its own. */
export interface RunningServer {
  url: string;
  pid: number;
  /** The lines that it has logged so far, parsed. */
  log(): any[];
  /** Resolves when it has logged a line for which this is true. */
  logged(is: (line: any) => boolean): Promise<any>;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Ran>;
}

/** Starts it on a free port, and resolves when it has loaded its models. */
export async function serve(args: string[] = [], setting: Setting = {}): Promise<RunningServer> {
  const { child, ran } = start(['serve', '--port', '0', ...(setting.fake ? [] : ['--threads', '1']), ...args], setting);
  let text = '';
  const waiting = new Set<() => void>();
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
    for (const look of waiting) look();
  });
  const log = () => jsonLines(text.slice(0, text.lastIndexOf('\n') + 1).replace(/^(?!\{).*$/gm, ''));
  const logged = (is: (line: any) => boolean) =>
    new Promise<any>((resolve, reject) => {
      const look = () => {
        const found = log().find(is);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      child.on('close', () => reject(new Error(`the server ended: ${text}`)));
      look();
    });
  const { url } = await logged(({ event }) => event === 'ready');
  return {
    url,
    pid: child.pid as number,
    log,
    logged,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return ran;
    },
  };
}
