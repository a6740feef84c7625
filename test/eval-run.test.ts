import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { inputFor, systemPlaceOf } from '../lib/eval/prompts.ts';
import { Results } from '../lib/eval/results.ts';
import { answerAll, workFor, type Plan } from '../lib/eval/run.ts';
import { readSystem } from '../lib/eval/systems.ts';
import { taskNamed } from '../lib/eval/questions.ts';
import { NudgingError, type Answer, type ErrorCode, type GenerateOptions, type Input, type Nudging } from '../lib/index.ts';
import { promptFor, readQuestion } from '../lib/prompts.ts';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'nudging-eval-run-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let files = 0;
const open = () => {
  files += 1;
  return Results.open(path.join(scratch, `${files}.jsonl`));
};

const answered = (text: string, stopReason: Answer['stopReason'] = 'end') =>
  ({
    text,
    stopReason,
    pieces: [{ text, source: 'base' }],
    rounds: [],
    ties: 0,
    stats: { tokens: 1, nudgedTokens: 0, times: { total: 1 } },
  }) as unknown as Answer;

/** An engine that says what the test wants for each question, by the number in it. */
function engine(parallel: number, reply: (index: number, options: GenerateOptions) => Promise<Answer>): Nudging {
  const generate = ({ messages }: { messages: { content: string }[] }, options: GenerateOptions) =>
    reply(Number(/\d+/.exec(messages.at(-1)?.content ?? '')?.[0]), options);
  return { parallel, generate, countTokens: async () => 1 } as unknown as Nudging;
}

const task = taskNamed('gsm8k');
const plan: Plan = {
  asked: [
    {
      task,
      questions: [0, 1, 2, 3].map((index) => ({ id: String(index), input: `number ${index}`, gold: '1' })),
      origin: { generated: true },
    },
  ],
  systems: [readSystem('nudged:gamma=0.3')],
  prompts: 'paper',
  trace: false,
  seed: 609,
};
const work = workFor(plan, 'pair');
const never = new AbortController().signal;
const untilAborted = ({ signal }: GenerateOptions) =>
  new Promise<Answer>((resolve) => signal?.addEventListener('abort', () => resolve(answered('half', 'aborted'))));
const ids = (results: Results) => results.contents.answers.map(({ id }) => id);

describe('answers', () => {
  test('are written as soon as they are there, as many at a time as there are places', async () => {
    const results = await open();
    await results.begin({ madeWith: {}, prompts: {}, seed: 609, tasks: {}, systems: {} });
    let [now, most] = [0, 0];
    const nudging = engine(2, async (index) => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, [40, 1, 80, 1][index]));
      now -= 1;
      return answered(String(index));
    });
    const seen: string[] = [];
    await answerAll(nudging, plan, work, results, never, ({ id }) => seen.push(id));
    expect([ids(results), seen, most]).toEqual([['1', '0', '3', '2'], ['1', '0', '3', '2'], 2]);
    await results.close();
    const again = await Results.open(path.join(scratch, `${files}.jsonl`));
    const refusing = engine(2, () => Promise.reject(new Error('asked again')));
    await answerAll(refusing, plan, work, again, never, () => {});
    await again.close();
  });

  test('that are complete when it is interrupted are all kept, those that are not are none', async () => {
    const results = await open();
    const controller = new AbortController();
    let complete = 0;
    const nudging = engine(4, async (index, options) => {
      if (index === 1) return untilAborted(options);
      complete += 1;
      if (complete === 3) setTimeout(() => controller.abort(), 20);
      return answered(String(index));
    });
    await answerAll(nudging, plan, work, results, controller.signal, () => {});
    expect(ids(results)).toEqual(['0', '2', '3']);
    await answerAll(
      engine(1, async (index) => answered(String(index))),
      plan,
      work,
      results,
      never,
      () => {},
    );
    expect(ids(results)).toEqual(['0', '2', '3', '1']);
    await results.close();
  });

  test('are kept where the engine fails, and the failure is told', async () => {
    const results = await open();
    const nudging = engine(3, async (index, options) => {
      if (index === 0) return untilAborted(options);
      if (index === 2) throw new NudgingError('ERR_DECODE_FAILED', 'on fire');
      return answered(String(index));
    });
    await expect(answerAll(nudging, plan, work, results, never, () => {})).rejects.toThrow('on fire');
    expect(ids(results)).toContain('1');
    expect(ids(results)).not.toContain('0');
    await results.close();
  });

  test('refuse where they say so, or where their guard has ended them', async () => {
    const results = await open();
    const replies = [answered('I cannot say.'), answered('', 'refused'), answered('One.'), answered('', 'timeout')];
    await answerAll(
      engine(1, async (index) => replies[index] as Answer),
      plan,
      work,
      results,
      never,
      () => {},
    );
    expect(results.contents.answers.map((row) => 'refusal' in row && row.refusal)).toEqual([true, true, false, false]);
    await results.close();
  });

  test('have the options of their system, and its seed or that of the run', async () => {
    const results = await open();
    const given: GenerateOptions[] = [];
    const systems = [readSystem('nudged:temperature=0.7'), readSystem('nudged:temperature=0.7,seed=5'), readSystem('base')];
    const one = {
      ...plan,
      systems,
      trace: true,
      asked: [{ ...(plan.asked[0] as Plan['asked'][number]), questions: [{ id: '0', input: '0', gold: '' }] }],
    };
    const nudging = engine(1, async (_, options) => {
      given.push(options);
      return answered('');
    });
    await answerAll(nudging, one, workFor(one, 'pair'), results, never, () => {});
    expect(given).toMatchObject([{ mode: 'nudge', temperature: 0.7, seed: 609, trace: 'full' }, { seed: 5 }, { mode: 'base', seed: 609 }]);
    await results.close();
  });
});

describe('prompts', () => {
  const question = { id: '1', context: 'Subject: x\n', input: 'Why?', gold: '' };
  const base = (input: Input) => {
    const { messages, ...options } = input as Extract<Input, { messages: unknown }>;
    return promptFor('base', readQuestion({ messages }), options as GenerateOptions);
  };

  test("are the authors' in both places of the system text", () => {
    const nudged = readSystem('nudged:gamma=0.3');
    const expected = `${task.system}\nSubject: x\nQuestion: Why?\n`;
    for (const place of ['message', 'question'] as const) {
      const input = inputFor(task, question, nudged, 'paper', place);
      expect(base(input)).toEqual({ segments: [{ text: expected, special: false }] });
      expect(input).not.toHaveProperty('stop');
    }
    expect(inputFor(task, question, nudged, 'paper', 'message')).toMatchObject({
      messages: [
        { role: 'system', content: task.system },
        { role: 'user', content: 'Subject: x\nQuestion: Why?' },
      ],
    });
    expect(inputFor(task, question, nudged, 'paper', 'question')).toMatchObject({
      messages: [{ role: 'user', content: `${task.system}\nSubject: x\nQuestion: Why?` }],
    });
  });

  test('end a base alone before its next question, unless its system says otherwise', () => {
    const stops = (system: string, name = 'gsm8k') =>
      (inputFor(taskNamed(name), question, readSystem(system), 'paper', 'message') as { stop?: string[] }).stop;
    expect(stops('base')).toEqual(['\n\nQuestion:', '\nQuestion:']);
    expect(stops('base', 'justeval')).toEqual(['\n\nInstruction:', '\nInstruction:']);
    expect([stops('base:stop=[]'), stops('aligned')]).toEqual([undefined, undefined]);
  });

  test('of the pair are the question alone', () => {
    expect(inputFor(task, question, readSystem('base'), 'pair', 'message')).toEqual({
      messages: [{ role: 'user', content: 'Subject: x\nWhy?' }],
    });
  });

  test('ask the template where the system text may stand', async () => {
    const template = (count: (system: string) => Promise<number>) =>
      ({ countTokens: ({ messages }: { messages: { content: string }[] }) => count(messages[0]?.content ?? '') }) as unknown as Nudging;
    const failing = (code: ErrorCode) => template(() => Promise.reject(new NudgingError(code, 'no')));
    expect(await systemPlaceOf(template(async (system) => system.length))).toBe('message');
    expect(await systemPlaceOf(template(async () => 3))).toBe('question');
    expect(await systemPlaceOf(failing('ERR_TEMPLATE_FAILED'))).toBe('question');
    await expect(systemPlaceOf(failing('ERR_CLOSED'))).rejects.toThrow('no');
  });
});
