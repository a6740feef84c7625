import { describe, expect, test } from 'vitest';
import { defaultInContextPrompt, Nudging } from '../lib/index.ts';
import { inContext } from '../lib/in-context.ts';
import { tinyModel } from './support/tiny-models.ts';

const user = (content: string) => ({ role: 'user', content }) as const;
const assistant = (content: string) => ({ role: 'assistant', content }) as const;

describe('the prompt of a base with examples', () => {
  test('has three examples, all laid out as the question is', () => {
    const { prompt, stop } = inContext();
    const text = prompt({ system: '', messages: [user('Who are you?')] });
    expect(text.match(/\n# Question:\n```\n.+\n```\n\n# Answer:\n```\n/g)).toHaveLength(4);
    expect(text.match(/\n```\n\n(?=# )/g)).toHaveLength(7);
    expect(text.endsWith('\n# Question:\n```\nWho are you?\n```\n\n# Answer:\n```\n')).toBe(true);
    expect(text).not.toMatch(/\{|undefined/);
    // A base copies the line breaks that it sees: those of the source are not among them.
    expect(text.split('\n').filter((line) => line.length > 150)).toHaveLength(3);
    expect(stop).toEqual(['\n```', '\n# Question:']);
  });

  test('says the instruction and the system text once, and ends the answers of earlier turns', () => {
    const messages = [user('One?'), assistant('1'), user('Two? {question} {system}')];
    const text = inContext().prompt({ system: 'Be brief.', messages });
    expect(text.split('# Instruction')).toHaveLength(2);
    expect(text.split('Be brief.\n\n# Question:')).toHaveLength(2);
    const end =
      '# Question:\n```\nOne?\n```\n\n# Answer:\n```\n1\n```\n\n# Question:\n```\nTwo? {question} {system}\n```\n\n# Answer:\n```\n';
    expect(text.endsWith(end)).toBe(true);
  });

  test.each([
    ['without fences', 'Examples.\n\nQ: {question}\nA:', ['\nQ:'], 'Examples.\n\nQ: one\nA:1\n\nQ: two\nA:'],
    [
      'with other fences',
      'Examples.\n{system}\nUser\n~~~~\n{question}\n~~~~\nBot\n~~~~\n',
      ['\n~~~~', '\nUser'],
      'Examples.\n\nUser\n~~~~\none\n~~~~\nBot\n~~~~\n1\n~~~~\n\nUser\n~~~~\ntwo\n~~~~\nBot\n~~~~\n',
    ],
    ['with a language behind the fence', '#Q\n{question}\n```text\n', ['\n```', '\n#Q'], '#Q\none\n```text\n1\n```\n\n#Q\ntwo\n```text\n'],
    ['without a heading', '{system}\n{question}\n', [], '\none\n1\n\n\ntwo\n'],
  ])('may be one of your own, %s', (_, template, stop, expected) => {
    const { prompt, stop: found } = inContext(template);
    expect(found).toEqual(stop);
    expect(prompt({ system: '', messages: [user('one'), assistant('1'), user('two')] })).toBe(expected);
  });

  test.each(['no question', '{question} and {question}'])(
    'that has no one place for the question is refused: %s',
    async (inContextPrompt) => {
      const expected = { code: 'ERR_INVALID_OPTION', option: 'inContextPrompt', value: inContextPrompt };
      expect(() => inContext(inContextPrompt)).toThrow(expect.objectContaining(expected));
      await expect(Nudging.load({ inContextPrompt })).rejects.toMatchObject(expected);
    },
  );
});

describe("mode: 'in-context'", () => {
  const load = () =>
    Nudging.load({ base: tinyModel({ context: 4096 }), aligned: tinyModel({ seed: 2 }), mode: 'in-context', maxTokens: 12 });

  test('is the base with that prompt, and nothing else', async () => {
    await using engine = await load();
    const answer = await engine.generate('Who?');
    const raw = { base: [{ text: inContext().prompt({ system: '', messages: [user('Who?')] }), special: false }] };
    const alone = await engine.generate(raw, { mode: 'base' });
    expect(answer.text).toBe(alone.text);
    expect(answer.stats.base.promptTokens).toBe(alone.stats.base.promptTokens);
    expect(answer.stats.aligned.decodes).toBe(0);
    expect(await engine.countTokens('Who?', { lane: 'base' })).toBe(answer.stats.base.promptTokens);
    const { context } = await engine.inspect({ lane: 'base', input: 'Who?' });
    expect(context).toHaveLength(answer.stats.base.promptTokens);
    expect(defaultInContextPrompt.length).toBeLessThan(4000);
  });

  test('ends before the fence, and before stop strings besides', async () => {
    await using engine = await load();
    // It has nothing else to say, so the fence comes soon.
    const settings = { maxTokens: 64, temperature: 10, seed: 4, logitBias: { '\n': 90, '`': 90 } };
    const raw = { base: [{ text: inContext().prompt({ system: '', messages: [user('Who?')] }), special: false }] };
    const { text } = await engine.generate(raw, { ...settings, mode: 'base', stop: [] });
    expect(text).toContain('\n```');
    const stopped = await engine.generate('Who?', settings);
    expect([stopped.stopReason, stopped.text]).toEqual(['stop', text.slice(0, text.indexOf('\n```'))]);
    const earlier = await engine.generate('Who?', { ...settings, stop: text.slice(0, 1) });
    expect([earlier.stopReason, earlier.text]).toEqual(['stop', '']);
    expect((await engine.generate('Who?', { ...settings, stop: [] })).text).toBe(stopped.text);
  });

  test('takes no raw prompt', async () => {
    await using engine = await load();
    await expect(engine.generate({ base: 'The' })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'mode' });
  });
});
