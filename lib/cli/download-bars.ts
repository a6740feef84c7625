import type { DownloadProgress } from '../types.ts';
import { bar, bytes as size, duration, percent } from './terminal.ts';

/** Off a terminal: a line at most this often for each file, so that a log stays short. */
const sparseMs = 15_000;
/** More often than this nobody can read. */
const redrawMs = 80;
/** Time over which speed is measured: a second is too jumpy, all of it forgets that the network got better. */
const speedMs = 10_000;

interface Line {
  latest: DownloadProgress;
  /** Bytes that were there at moments, the oldest first. */
  marks: { at: number; received: number }[];
  saidAt: number;
}

/** One bar for each file that is downloaded, on stderr: lines that are written over on a terminal, now and then a line elsewhere. */
export class DownloadBars {
  readonly #stream: NodeJS.WriteStream;
  readonly #lines = new Map<string, Line>();
  #drawn = 0;
  #drawnAt = -Infinity;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(progress: DownloadProgress): void {
    const now = performance.now();
    const key = `${progress.name} ${progress.file}`;
    const line = this.#lines.get(key) ?? { latest: progress, marks: [], saidAt: -Infinity };
    const news = !this.#lines.has(key) || line.latest.state !== progress.state;
    this.#lines.set(key, line);
    line.latest = progress;
    if (progress.state === 'receiving') line.marks.push({ at: now, received: progress.received });
    while (now - (line.marks[0]?.at ?? now) > speedMs) line.marks.shift();
    if (this.#stream.isTTY) {
      if (news || now - this.#drawnAt > redrawMs) this.#draw(now);
    } else if (news || now - line.saidAt > sparseMs) {
      line.saidAt = now;
      this.#stream.write(`${plain(progress)}\n`);
    }
  }

  /** Leaves what is drawn where it is; what comes next stands below. */
  end(): void {
    if (this.#drawn > 0) this.#draw(performance.now());
    this.#drawn = 0;
    this.#lines.clear();
  }

  #draw(now: number): void {
    const columns = Math.max(20, this.#stream.columns || 80);
    const up = this.#drawn === 0 ? '' : `\x1b[${this.#drawn}A`;
    // A line that wraps could not be written over.
    const lines = [...this.#lines.values()].map((line) => `\r${drawn(line, columns).slice(0, columns - 1)}\x1b[K\n`);
    this.#stream.write(up + lines.join(''));
    this.#drawn = this.#lines.size;
    this.#drawnAt = now;
  }
}

function drawn({ latest, marks }: Line, columns: number): string {
  const { file, state, fraction, received, bytes } = latest;
  const what =
    state === 'waiting'
      ? 'waits for another process that downloads it'
      : state === 'done'
        ? `${size(bytes)}, in the cache`
        : state === 'checking'
          ? `${bar(fraction, 16)} checking what is there already`
          : `${bar(fraction, 16)} ${percent(fraction)} of ${size(bytes)}${pace(marks, bytes - received)}`;
  const name = file.slice(file.lastIndexOf('/') + 1);
  const room = Math.max(12, columns - what.length - 3);
  return `${name.length > room ? `${name.slice(0, room - 1)}…` : name}  ${what}`;
}

function pace(marks: Line['marks'], left: number): string {
  const [first, last] = [marks[0], marks.at(-1)];
  if (!first || !last || last.at - first.at < 500 || last.received <= first.received) return '';
  const speed = ((last.received - first.received) / (last.at - first.at)) * 1000;
  return `, ${size(speed)}/s, ${duration(left / speed)} left`;
}

function plain({ file, state, received, bytes, fraction }: DownloadProgress): string {
  if (state === 'checking') return `${file}: checking what is there already`;
  if (state === 'waiting') return `${file}: another process downloads it; waiting`;
  return state === 'done'
    ? `${file}: in the cache (${size(bytes)})`
    : `${file}: ${size(received)} of ${size(bytes)} (${percent(fraction)})`;
}
