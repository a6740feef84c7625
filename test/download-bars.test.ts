import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { DownloadBars } from '../lib/cli/download-bars.ts';
import type { DownloadProgress } from '../lib/index.ts';

/** What a stream was written. */
function terminal(over: object): { stream: NodeJS.WriteStream; text: () => string } {
  let text = '';
  const stream = new Writable({
    write(chunk, _, done) {
      text += String(chunk);
      done();
    },
  });
  return { stream: Object.assign(stream, over) as unknown as NodeJS.WriteStream, text: () => text };
}

const at = (file: string, received: number, state: DownloadProgress['state'] = 'receiving'): DownloadProgress => ({
  kind: 'download',
  name: 'hf:owner/repo',
  file,
  state,
  received,
  bytes: 2 * 2 ** 30,
  fraction: received / 2 ** 31,
});

test('a terminal has one line for each file, written over', () => {
  const { stream, text } = terminal({ isTTY: true, columns: 80 });
  const bars = new DownloadBars(stream);
  bars.show(at('folder/one.gguf', 0));
  bars.show(at('two.gguf', 2 ** 30));
  bars.show(at('one.gguf', 0, 'waiting'));
  bars.show(at('two.gguf', 2 * 2 ** 30, 'done'));
  const frames = text().split(/(?:\x1b\[\dA)/);
  expect(frames[0]).toBe('\rone.gguf  [----------------] 0 % of 2.0 GiB\x1b[K\n');
  expect(frames[1]).toBe(`${frames[0]}\rtwo.gguf  [########--------] 50 % of 2.0 GiB\x1b[K\n`);
  // The cursor goes up by as many lines as there are.
  expect(text().match(/\x1b\[\dA/g)).toEqual(['\x1b[1A', '\x1b[2A', '\x1b[3A']);
  expect(frames[3]).toContain('\rone.gguf  waits for another process that downloads it\x1b[K\n');
  expect(frames[3]).toContain('\rtwo.gguf  2.0 GiB, in the cache\x1b[K\n');
});

test('no line is longer than the terminal', () => {
  const { stream, text } = terminal({ isTTY: true, columns: 50 });
  const bars = new DownloadBars(stream);
  for (const state of ['waiting', 'receiving', 'done'] as const) bars.show(at(`${'long-'.repeat(30)}.gguf`, 1, state));
  bars.end();
  for (const line of text().split('\n')) expect(line.replace(/\x1b\[\w+|\r/g, '').length).toBeLessThan(50);
});

test('elsewhere there is a line when something changes, and few between', () => {
  const { stream, text } = terminal({});
  const bars = new DownloadBars(stream);
  for (let received = 0; received < 1000; received += 1) bars.show(at('one.gguf', received * 2_000_000));
  bars.show(at('one.gguf', 2 * 2 ** 30, 'done'));
  bars.end();
  expect(text()).toBe('one.gguf: 0 bytes of 2.0 GiB (0 %)\none.gguf: in the cache (2.0 GiB)\n');
});
