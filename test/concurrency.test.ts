import { describe, expect, test } from 'vitest';
import { Nudging, type Answer, type GenerateOptions, type Piece } from '../lib/index.ts';
import { spread } from './support/questions.ts';

const question = 'What is a harbor?';
const questions = (count: number) => spread(count).map((row) => row.question);
/** The base alone says more than 40 tokens to that question. */
const long = { mode: 'base', maxTokens: 400, stop: [] } as const;
const system = 'You answer in one plain sentence and never say more than is asked for, whatever the question, and whoever asks it. '.repeat(
  2,
);

describe('the queue', () => {
  test('is first come, first served', async () => {
    await using engine = await Nudging.load({ parallel: 2 });
    const ended: number[] = [];
    const answers = await Promise.all(
      questions(8).map(async (each, index) => {
        const answer = await engine.generate(each, { maxTokens: 12 });
        ended.push(index);
        return answer;
      }),
    );
    const queued = answers.map(({ stats }) => stats.times.queued);
    // Two start at once; the third starts when one of them has ended, and so on. Half a millisecond lies between the first and the last
    // call.
    for (const [index, ms] of queued.slice(1).entries()) expect(ms).toBeGreaterThan((queued[index] as number) - 2);
    expect(queued[7]).toBeGreaterThan(queued[0] as number);
    expect(ended.indexOf(0)).toBeLessThan(ended.indexOf(7));
  });

  test('has a limit: one more is refused with ERR_BUSY, and welcome later', async () => {
    await using engine = await Nudging.load({ parallel: 1, maxQueue: 1 });
    const running = engine.generate(question);
    const waiting = engine.generate(question);
    await expect(engine.generate(question)).rejects.toMatchObject({
      name: 'NudgingError',
      code: 'ERR_BUSY',
      message: expect.stringMatching(/2 requests.*maxQueue/),
    });
    expect(() => engine.stream(question)).toThrow(expect.objectContaining({ code: 'ERR_BUSY' }));
    await expect(engine.inspect({ lane: 'base', input: question })).rejects.toMatchObject({ code: 'ERR_BUSY' });
    const [first, second] = await Promise.all([running, waiting]);
    expect(second.text).toBe(first.text);
    expect((await engine.generate(question)).text).toBe(first.text);
  });
});

describe('timeout', () => {
  test('ends a generation with the text so far', async () => {
    await using engine = await Nudging.load({ parallel: 1 });
    const whole = await engine.generate(question, long);
    // Another prompt first: what was just answered would be answered from memory.
    await engine.generate('What is a meadow?', long);
    const cut = await engine.generate(question, { ...long, timeout: 3 });
    expect(cut.stopReason).toBe('timeout');
    expect(whole.text.startsWith(cut.text)).toBe(true);
    expect(cut.text.length).toBeLessThan(whole.text.length);
    expect((await engine.generate(question, { timeout: 60_000 })).stopReason).toBe('end');
  });

  test('counts the time in the queue', async () => {
    await using engine = await Nudging.load({ parallel: 1 });
    const ended: string[] = [];
    const asked = (name: string, options: GenerateOptions) => engine.generate(question, options).finally(() => ended.push(name));
    const [running, waiting] = await Promise.all([asked('running', long), asked('waiting', { timeout: 1 })]);
    expect(running.stopReason).not.toBe('timeout');
    expect(waiting).toMatchObject({ stopReason: 'timeout', text: '', stats: { tokens: 0 } });
    // It did not take its turn for that.
    expect(ended).toEqual(['waiting', 'running']);
  });
});

describe('a reader that stops reading', () => {
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  async function rest(stream: AsyncIterable<Piece>): Promise<Piece[]> {
    const pieces: Piece[] = [];
    for await (const piece of stream) pieces.push(piece);
    return pieces;
  }

  test('makes its own generation wait, and no other; it goes on where it was', async () => {
    await using engine = await Nudging.load({ parallel: 2 });
    const whole = await engine.generate(question, long);
    await engine.generate('What is a meadow?', long);
    const slow = engine.stream(question, { ...long, highWaterMark: 4, timeout: 60_000 });
    const first = await slow.next();
    let ended = false;
    void pause(0).then(async () => {
      for (let i = 0; i < 5; i += 1) await engine.generate(`What is a harbor, for the ${i}th time?`);
      ended = true;
    });
    while (!ended) await pause(5);
    const pieces = [first.value as Piece, ...(await rest(slow))];
    expect(pieces).toEqual(whole.pieces);
  });

  test('makes it wait at once: nothing is decoded for it meanwhile', async () => {
    await using engine = await Nudging.load({ parallel: 2 });
    const stream = engine.stream(question, { ...long, highWaterMark: 1, trace: 'full' });
    await stream.next();
    const begin = performance.now();
    // Others keep the engine at work.
    for (let i = 0; performance.now() < begin + 400; i += 1) await engine.generate(`What is a harbor, for the ${i}th time?`);
    await rest(stream);
    const { spans = [] } = await stream.answer;
    const gaps = spans.slice(1).map(({ begin }, at) => begin - (spans[at]?.end ?? 0));
    expect(Math.max(...gaps)).toBeGreaterThan(200);
    expect(spans.findIndex((_, at) => (gaps[at] ?? 0) > 200)).toBeLessThan(spans.length / 2);
  });

  test('waits no more when the whole answer is asked for', async () => {
    await using engine = await Nudging.load({ parallel: 1 });
    const stream = engine.stream(question, { ...long, highWaterMark: 1 });
    await stream.next();
    await pause(20);
    expect((await stream.answer).text.length).toBeGreaterThan(100);
  });

  test('does not keep an engine from closing, and can read on after it', async () => {
    const engine = await Nudging.load({ parallel: 1 });
    const stream = engine.stream(question, { ...long, highWaterMark: 1 });
    await stream.next();
    await pause(20);
    await engine.close();
    expect((await rest(stream)).length).toBeGreaterThan(30);
    expect((await stream.answer).stopReason).toBe('end');
  });

  test('leaves its place to who waits for one, and finds its way back', async () => {
    await using engine = await Nudging.load({ parallel: 1 });
    const whole = await engine.generate(question, { trace: 'full' });
    await engine.generate('What is a meadow?');
    const slow = engine.stream(question, { highWaterMark: 2 });
    const pieces = [(await slow.next()).value as Piece];
    for (let i = 0; i < 3; i += 1) {
      // It would never end if the one place were taken.
      expect((await engine.generate(`What is a king, number ${i}?`)).stopReason).toBe('end');
      pieces.push((await slow.next()).value as Piece, (await slow.next()).value as Piece);
    }
    const sampled = await engine.generate(question, { temperature: 1, seed: 3, maxTokens: 12 });
    pieces.push(...(await rest(slow)));
    // To the last digit of each probability, though its context was decoded again in other batches.
    expect(pieces).toEqual(whole.pieces);
    expect((await slow.answer).rounds).toEqual(whole.rounds);
    expect((await engine.generate(question, { temperature: 1, seed: 3, maxTokens: 12 })).text).toBe(sampled.text);
  });

  test('that are forgotten take no place from others', async () => {
    await using engine = await Nudging.load({ parallel: 2 });
    for (let i = 0; i < 6; i += 1) await engine.stream(question, { ...long, highWaterMark: 1 }).next();
    expect((await engine.generate(question)).stopReason).toBe('end');
  });

  test('is subject to its timeout', async () => {
    await using engine = await Nudging.load({ parallel: 1 });
    const stream = engine.stream(question, { ...long, highWaterMark: 1, timeout: 50 });
    await stream.next();
    await pause(150);
    expect((await engine.generate(question)).stopReason).toBe('end');
    await rest(stream);
    expect((await stream.answer).stopReason).toBe('timeout');
  });

  test('may leave: the place is free at once', async () => {
    await using engine = await Nudging.load({ parallel: 1 });
    const stream = engine.stream(question, { ...long, highWaterMark: 1 });
    for await (const _ of stream) break;
    expect((await stream.answer).stopReason).toBe('aborted');
    expect((await engine.generate(question)).stopReason).toBe('end');
  });
});

describe('prefixes', () => {
  const chat = (content: string) => [{ role: 'system', content: system } as const, { role: 'user', content } as const];
  const cold = async (input: ReturnType<typeof chat>): Promise<Answer> => {
    await using engine = await Nudging.load({ parallel: 1 });
    return engine.generate(input);
  };

  test.each([
    ['of requests that begin together', true],
    ['of a request that has ended', false],
  ])('%s are decoded once', async (_, together) => {
    await using engine = await Nudging.load({ parallel: 3 });
    const inputs = ['What is a harbor?', 'What is a meadow?', 'What is a king?'].map(chat);
    const answers: Answer[] = [];
    if (together) answers.push(...(await Promise.all(inputs.map((input) => engine.generate(input)))));
    else for (const input of inputs) answers.push(await engine.generate(input));

    for (const [index, input] of inputs.entries()) expect(answers[index]?.pieces).toEqual((await cold(input)).pieces);
    for (const { stats } of answers.slice(1)) {
      for (const lane of [stats.base, stats.aligned]) {
        expect(lane.promptTokens).toBeGreaterThan(40);
        expect(lane.cachedPromptTokens).toBeGreaterThan(lane.promptTokens / 2);
      }
    }
    expect(answers[0]?.stats.base.cachedPromptTokens).toBe(0);
  });

  test('a long history is kept for who goes on with it, while others come and go', async () => {
    await using engine = await Nudging.load({ parallel: 3 });
    const first = await engine.generate(chat('What is a harbor?'));
    await engine.generate('What is a meadow?');
    await engine.generate('What is a king?');
    const history = [
      ...chat('What is a harbor?'),
      { role: 'assistant', content: first.text } as const,
      { role: 'user', content: 'What is a port?' } as const,
    ];
    const second = await engine.generate(history);
    expect(second.stats.aligned.cachedPromptTokens).toBeGreaterThan(first.stats.aligned.promptTokens / 2);
  });
});

test('a long prompt does not hold up who is being answered', async () => {
  await using engine = await Nudging.load({ parallel: 2 });
  const running = engine.stream(question, { ...long, trace: 'full' });
  await running.next();
  const late = await engine.generate(`${'The quick brown fox jumps over the lazy dog. '.repeat(22)}What is a harbor?`, {
    mode: 'base',
    maxTokens: 1,
  });
  expect(late.stats.base.promptTokens).toBeGreaterThan(250);
  const { spans } = await running.answer;
  const largest = Math.max(...(spans ?? []).slice(1).map(({ tokens }) => tokens));
  expect(largest).toBeGreaterThan(1);
  expect(largest).toBeLessThan(late.stats.base.promptTokens / 2);
});

describe('both models at once', () => {
  test('give the same answers, and their forward passes overlap', async () => {
    await using turns = await Nudging.load({ overlap: false, threads: 1 });
    await using both = await Nudging.load({ overlap: true, threads: 1, parallel: 2 });
    const asked = questions(6);
    const expected: Answer[] = [];
    for (const each of asked) expected.push(await turns.generate(each));
    const answers = await Promise.all(asked.map((each) => both.generate(each, { trace: 'full' })));
    expect(answers.map(({ pieces }) => pieces)).toEqual(expected.map(({ pieces }) => pieces));

    const overlaps = answers.some(({ spans = [] }) =>
      spans.some(
        (one) => one.lane === 'base' && spans.some((other) => other.lane === 'aligned' && other.begin < one.end && one.begin < other.end),
      ),
    );
    expect(overlaps).toBe(true);
    expect(answers.some(({ stats }) => stats.aligned.anticipated > 0)).toBe(true);
    // What was decoded before anybody asked is there when somebody does.
    const remembered = (all: readonly Answer[]) => all.reduce((sum, { stats }) => sum + stats.aligned.remembered, 0);
    expect(remembered(answers)).toBeGreaterThan(remembered(expected));
  });

  test('take turns on a CPU unless told otherwise', async () => {
    await using engine = await Nudging.load({ parallel: 2 });
    const answers = await Promise.all(questions(3).map((each) => engine.generate(each, { trace: 'full' })));
    const spans = answers.flatMap(({ spans: of = [] }) => of.map(({ begin, end, lane }) => ({ begin, end, lane })));
    expect(spans.length).toBeGreaterThan(10);
    for (const { stats } of answers) expect(stats.aligned.anticipated).toBe(0);
  });
});
