import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { confirmed } from '../lib/cli/confirm.ts';

const never = new AbortController().signal;

test.each([
  ['y\n', true],
  ['YES\n', true],
  [' yes \n', true],
  ['n\n', false],
  ['\n', false],
  ['yesterday\n', false],
  ['', false],
])('%j is %s', async (typed, yes) => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  input.end(typed);
  expect(await confirmed('Remove all?', never, input, output)).toBe(yes);
  output.end();
  expect(await text(output)).toContain('Remove all? [y/N] ');
});

test('a signal is no answer', async () => {
  const stop = new AbortController();
  const asked = confirmed('Remove all?', stop.signal, new PassThrough(), new PassThrough());
  stop.abort(new Error('enough'));
  await expect(asked).rejects.toThrow('enough');
});
