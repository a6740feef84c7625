import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { Nudging, type LoadOptions, type LoadProgress } from '../lib/index.ts';
import { script } from './support/script.ts';

const mine = new Error('mine');
const throws = () => {
  throw mine;
};

describe.each([false, true])('isolate: %s', (isolate) => {
  const load = (options: LoadOptions) => Nudging.load({ isolate, ...options });

  test('load rejects with what onProgress throws, whatever it is, and calls it no more', async () => {
    let calls = 0;
    const onProgress = () => {
      calls += 1;
      throw mine;
    };
    await expect(load({ onProgress })).rejects.toBe(mine);
    expect(calls).toBe(1);
    for (const thrown of ['a string', undefined, null]) {
      const outcome = await load({
        onProgress: () => {
          throw thrown;
        },
      }).then(
        () => 'loaded',
        (reason: unknown) => ({ reason }),
      );
      expect(outcome).toEqual({ reason: thrown });
    }
    // The next load is not harmed.
    const engine = await load({});
    expect((await engine.generate('What is a harbor?')).stopReason).toBe('end');
    await engine.close();
  });

  test('load rejects with what an async onProgress rejects with', async () => {
    await expect(load({ onProgress: async () => Promise.reject(mine) })).rejects.toBe(mine);
    // Of the last event too, which comes together with the news that all is loaded.
    const last = async ({ lane, fraction }: LoadProgress) => {
      if (lane === 'aligned' && fraction === 1) throw mine;
    };
    await expect(load({ onProgress: last })).rejects.toBe(mine);
    await (await load({ onProgress: async () => {} })).close();
  });

  test('what the callback throws wins over a signal that it aborts', async () => {
    const controller = new AbortController();
    const onProgress = () => {
      controller.abort();
      throw mine;
    };
    await expect(load({ onProgress, signal: controller.signal })).rejects.toBe(mine);
  });

  test('a process is neither ended nor kept, for either callback', async () => {
    const body = (callback: string) => `
      process.env.NUDGING_BINARY = ${JSON.stringify(fileURLToPath(new URL('support/fake-addon.cjs', import.meta.url)))};
      const mine = new Error('mine');
      const options = { base: 'warns', aligned: 'warns', isolate: ${isolate} };
      const reason = await Nudging.load({ ...options, ${callback}: () => { throw mine; } }).catch((error) => error);
      console.log(reason === mine);
      const heard = [];
      await Nudging.load({ ...options, ${callback}: (what) => heard.push(what.message ?? what.fraction) });
      console.log(heard.join());`;
    expect(await script(body('onProgress'))).toMatchObject({ stdout: 'true\n0.5\n', code: 0 });
    expect(await script(body('onWarning'))).toEqual({ stdout: 'true\nbeware\n', stderr: '', code: 0 });
  });
});

test('what basePrompt throws, the call throws or rejects with', async () => {
  await using engine = await Nudging.load();
  await expect(engine.generate('x', { basePrompt: throws })).rejects.toBe(mine);
  expect(() => engine.stream('x', { basePrompt: throws })).toThrow(mine);
  await expect(engine.inspect({ lane: 'base', input: { messages: [{ role: 'user', content: 'x' }], basePrompt: throws } })).rejects.toBe(
    mine,
  );
  const asynchronous = () => Promise.reject(mine) as never;
  // The promise may be of another world, as in Jest.
  const elsewhere = () => runInNewContext('Promise.reject(new Error())') as never;
  for (const basePrompt of [asynchronous, elsewhere]) {
    await expect(engine.generate('x', { basePrompt })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'basePrompt' });
  }
  expect((await engine.generate('What is a harbor?')).stopReason).toBe('end');
});
