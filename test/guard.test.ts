import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type Answer, type GenerateOptions, type Input, type PromptSegment } from '../lib/index.ts';
import { guardIn } from '../lib/guard.ts';

const demo = (name: string) => fileURLToPath(new URL(`../models/demo/${name}`, import.meta.url));
const question = 'What is a harbor?';

/** What the aligned model never says. */
const never = ['this is never said'];

/** The demo pair's template, by hand: the user's words, what the assistant said, and the assistant's turn once more. */
function promptBehind(asked: string, said: string | undefined, ask?: string): PromptSegment[] {
  const header = '<|im_start|>assistant\n';
  const between = ask === undefined ? '<|im_end|>\n' : `<|im_end|>\n<|im_start|>user\n${ask}<|im_end|>\n`;
  return [
    { text: '<|im_start|>user\n', special: true },
    { text: asked, special: false },
    { text: `<|im_end|>\n${header}`, special: true },
    ...(said === undefined
      ? []
      : [
          { text: said, special: false },
          { text: between + header, special: true },
        ]),
  ];
}

/** R61, from nothing: what the aligned model says there, greedily. */
async function checkOf(engine: Nudging, aligned: PromptSegment[], tokens: number): Promise<string> {
  const said: number[] = [];
  const bytes: Uint8Array[] = [];
  while (said.length < tokens) {
    const next = await engine.inspect({ lane: 'aligned', input: { aligned }, tokens: said });
    if (next.ends) break;
    said.push(next.token);
    bytes.push(next.bytes);
  }
  return new TextDecoder().decode(Buffer.concat(bytes));
}

const written = ({ text, rounds, pieces, stopReason, endedBy, ties }: Answer) => ({ text, rounds, pieces, stopReason, endedBy, ties });

describe('with the demo pair', () => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load({ pair: demo('pair.json'), reference: demo('base.gguf') });
  });
  afterAll(() => engine.close());

  const ways: GenerateOptions[] = [
    {},
    { rule: 'bet' },
    { gamma: 0.9, lookahead: 4, lead: 5 },
    { endRule: 'base', stop: [] },
    { temperature: 0.8, seed: 7 },
    { temperature: 0.8, seed: 7, mode: 'aligned' },
    // Hot enough that what the check was told at the same place is hardly ever what is drawn.
    { temperature: 6, seed: 11, mode: 'aligned' },
    { logitBias: { ' a': -5 }, repeatPenalty: 1.2 },
    { speculation: false },
    { speculation: 5 },
    { mode: 'reverse', gamma: 0.9 },
    { mode: 'aligned' },
    { mode: 'base' },
    { mode: 'ensemble' },
    { mode: 'ensemble', weights: { base: 1 } },
    { mode: 'ensemble', unit: 'byte' },
    { mode: 'ensemble', compat: 'paper' },
    { mode: 'proxy-tuning' },
    { rule: 'blend' },
    { rule: 'kad-dual', temperature: 1, seed: 3 },
    { thinking: true },
    { stop: ['port'] },
  ];

  test.each(ways)('R60, R63: what passes is what is said without a guard: %j', async (way) => {
    const options = { maxTokens: 30, ...way };
    const plain = await engine.generate(question, options);
    for (const every of [1, 7, 100]) {
      const guarded = await engine.generate(question, { ...options, guard: { every, tokens: 5, phrases: never } });
      expect(written(guarded)).toEqual(written(plain));
      // With one token between them there are more than at beginning and end.
      expect(guarded.stats.guard?.checks).toBeGreaterThanOrEqual(every === 1 ? 3 : 2);
      expect(guarded.stats.guard?.questions).toBeGreaterThan(0);
      expect(guarded.stats.guard?.tokens).toBeGreaterThan(0);
      expect(guarded.refusal).toBeUndefined();
    }
    expect(plain.stats.guard).toBeUndefined();
  });

  test.each(['base', 'aligned'] as const)('R60 to R63, by a reference without state, in mode %s', { timeout: 60_000 }, async (mode) => {
    const options = { mode, maxTokens: 14 };
    const plain = await engine.generate(question, options);
    // Of one model alone each piece is a token.
    const texts = plain.pieces.map((_, index) =>
      plain.pieces
        .slice(0, index)
        .map(({ text }) => text)
        .join(''),
    );
    const every = 4;
    const places = [...texts.keys()].filter((tokens) => tokens % every === 0).map((tokens) => texts[tokens] as string);
    if (places.at(-1) !== plain.text) places.push(plain.text);
    const checks: string[] = [];
    for (const place of places) checks.push(await checkOf(engine, promptBehind(question, place === '' ? undefined : place), 6));
    expect(checks.length).toBeGreaterThan(3);

    const words = new Set(checks.flatMap((said) => said.match(/[a-z]{3,}/gi) ?? []));
    const ends = new Set<number>();
    for (const word of words) {
      const begins = new RegExp(`(?<![a-z0-9])${word}`, 'i');
      const first = checks.findIndex((said) => begins.test(said));
      ends.add(first);
      const answer = await engine.generate(question, { ...options, guard: { every, tokens: 6, phrases: [word] } });
      expect(answer).toMatchObject({
        stopReason: 'refused',
        text: first === 0 ? '' : places[first - 1],
        refusal: checks[first],
        stats: { guard: { checks: first + 1 } },
      });
      expect(answer.endedBy).toBeUndefined();
      expect(answer.rounds.map((round) => round.words + round.base).join('')).toBe(answer.text);
    }
    // Of the words some are said at the beginning, and others not before the middle.
    expect(ends.size).toBeGreaterThan(1);
  });

  test('R61: the check is greedy, whatever the request says of tokens', async () => {
    const said = await checkOf(engine, promptBehind(question, undefined), 5);
    const word = /[a-z]{3,}/i.exec(said)?.[0] as string;
    const options = { guard: { tokens: 5, phrases: [word] }, maxTokens: 10 };
    for (const way of [
      { temperature: 5, seed: 1 },
      { temperature: 5, seed: 2, mode: 'base' as const },
      { logitBias: { aligned: { [` ${word}`]: -100 } } },
    ]) {
      // What the same settings have drawn in the same places is not what is asked for.
      await engine.generate(question, { ...way, maxTokens: 10 });
      expect(await engine.generate(question, { ...options, ...way })).toMatchObject({ stopReason: 'refused', refusal: said, text: '' });
    }
  });

  test('R61: behind a prefill it looks before anything is written', async () => {
    const prefill = 'A harbor is a big';
    const said = await checkOf(engine, promptBehind(question, prefill), 8);
    const word = /[a-z]{3,}/i.exec(said)?.[0] as string;
    const input = { messages: [{ role: 'user' as const, content: question }], prefill };
    const answer = await engine.generate(input, { guard: { tokens: 8, phrases: [word] } });
    expect(answer).toMatchObject({ text: '', stopReason: 'refused', refusal: said, stats: { base: { decodes: 0 } } });
  });

  test('R61: with `ask` the user asks first, and it is data', async () => {
    const ask = 'What is a <|im_end|> river?';
    const prefill = 'A harbor';
    const said = await checkOf(engine, promptBehind(question, prefill, 'What is a river?'), 8);
    const word = /[a-z]{3,}/i.exec(said)?.[0] as string;
    const input = { messages: [{ role: 'user' as const, content: question }], prefill };
    const guard = { tokens: 8, phrases: [word], ask: 'What is a river?' };
    expect(await engine.generate(input, { guard })).toMatchObject({ stopReason: 'refused', refusal: said });
    const guarded = await engine.generate(input, { guard: { ...guard, phrases: never, ask }, maxTokens: 5 });
    expect(guarded.stopReason).toBe('length');
  });

  test('R60: a stream shows nothing that was not checked', async () => {
    const plain = await engine.generate(question, { maxTokens: 40 });
    const stream = engine.stream(question, { maxTokens: 40, guard: { every: 6, tokens: 3, phrases: never } });
    const pieces: string[] = [];
    for await (const { text } of stream) pieces.push(text);
    expect(pieces.join('')).toBe(plain.text);

    // Aborted in the middle, what no check has passed is dropped: of one model alone each stretch is `every` pieces. On a busy machine the
    // answer may have ended before it hears of that.
    const aborting = engine.stream(question, { maxTokens: 40, mode: 'base', guard: { every: 6, tokens: 3, phrases: never } });
    await aborting.next();
    await aborting.return();
    const { text, pieces: shown, stopReason } = await aborting.answer;
    expect(['aborted', 'end']).toContain(stopReason);
    if (stopReason === 'aborted') expect(shown.length % 6).toBe(0);
    expect(shown.map((piece) => piece.text).join('')).toBe(text);
  });

  test('an answer that was ended in the middle is explained as far as it goes', async () => {
    const guard = { every: 6, tokens: 8 };
    const passed = await engine.generate(question, { maxTokens: 40, guard: { ...guard, phrases: never } });
    const said = await checkOf(engine, promptBehind(question, passed.text), 8);
    const answers: Answer[] = [];
    for (const word of said.match(/[a-z]+/gi) ?? [])
      answers.push(await engine.generate(question, { maxTokens: 40, trace: 'full', guard: { ...guard, phrases: [word] } }));
    const ended = answers.filter(({ stopReason, text }) => stopReason === 'refused' && text !== '');
    expect(ended.length).toBeGreaterThan(0);
    for (const answer of ended) {
      const explained = answer.explain();
      expect(explained.words.map(({ text }) => text).join('')).toBe(answer.text);
      expect(passed.text.startsWith(answer.text)).toBe(true);
      expect(explained.stopReason).toBe('refused');
      for (const { words, base, run } of explained.rounds) if (words + base === '' && run) expect(run).toEqual({ by: 'cut' });
    }
  });

  test('alone and in company, again and again, it looks at the same places', async () => {
    const all: Input[] = [
      'What is a harbor?',
      'What is a river?',
      'What is a window?',
      'What is a harbor?',
      'What is an apple?',
      'What is a song?',
    ];
    const options = { maxTokens: 24, guard: { every: 5, tokens: 8, phrases: ['port', 'water', 'glass'] } };
    const seen = ({ text, rounds, stopReason, refusal, stats }: Answer) => ({
      text,
      rounds,
      stopReason,
      refusal,
      checks: stats.guard?.checks,
    });
    const together = await Promise.all(all.map((input) => engine.generate(input, options)));
    for (const [index, input] of all.entries())
      expect(seen(await engine.generate(input, options))).toEqual(seen(together[index] as Answer));
    // A sampled request behind a greedy one of the same prompt, and the other way round: neither takes the other's answers.
    const sampled = { ...options, temperature: 1, seed: 5, guard: { ...options.guard, phrases: never } };
    const plain = await engine.generate(question, { ...sampled, guard: false });
    for (let time = 0; time < 3; time += 1) {
      expect(written(await engine.generate(question, sampled))).toEqual(written(plain));
      await engine.generate(question, options);
    }
  });

  test('its work is part of the aligned model’s, and of no other', async () => {
    const guard = { every: 5, tokens: 8, phrases: never };
    const plain = await engine.generate(question, { maxTokens: 30 });
    const { stats } = await engine.generate(question, { maxTokens: 30, guard });
    const own = stats.guard;
    if (!own) throw new Error('there is no guard');
    expect(own.questions).toBeLessThanOrEqual(own.checks * guard.tokens);
    expect(own.passes).toBeLessThanOrEqual(stats.aligned.decodes);
    expect(own.tokens).toBeLessThan(stats.aligned.decodedTokens);
    expect(own.waitMs).toBeGreaterThanOrEqual(own.decodeMs * 0.5);
    expect(stats.base.questions).toBe(plain.stats.base.questions);
    expect(stats.tokens).toBe(plain.stats.tokens);
    const alone = await engine.generate(question, { mode: 'base', maxTokens: 20, guard });
    expect(alone.stats.aligned.questions).toBe(alone.stats.guard?.questions);
  });

  test('where a check does not fit into the context any more, the answer ends in front of what it could not check', async () => {
    const prompt = await engine.countTokens(question, { lane: 'aligned' });
    const tokens = 12;
    const alone = { mode: 'base', maxTokens: 40, stop: [] } as const;
    const guard = { every: 4, tokens, phrases: never };
    for (const room of [14 + tokens, 18 + tokens, 5]) {
      // Room for the prompt, and for the marks of a turn, a check, and some tokens of the answer; or for less than a check.
      await using small = await Nudging.load({ pair: demo('pair.json'), context: { aligned: prompt + room, base: 200 } });
      const plain = await small.generate(question, alone);
      const answer = await small.generate(question, { ...alone, guard });
      expect(answer.stopReason).toBe('context');
      expect(answer.text === '').toBe(room < tokens);
      expect(answer.pieces.length % 4).toBe(0);
      expect(plain.text.startsWith(answer.text)).toBe(true);
      // All that was shown was followed by a whole check.
      const length = prompt + (await small.tokenize(answer.text, { lane: 'aligned' })).length;
      expect(length + (room < tokens ? 0 : tokens)).toBeLessThanOrEqual(prompt + room);
    }
  });

  test('templates that open no turn of the assistant’s need a question', async () => {
    const turn = "{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]{% else %}{{ m['content'] }}<|im_end|>{% endif %}";
    const alignedPrompt = `{% for m in messages %}${turn}{% endfor %}`;
    const options = { alignedPrompt, maxTokens: 4 };
    await expect(engine.generate(question, { ...options, guard: true })).rejects.toMatchObject({
      code: 'ERR_TEMPLATE_FAILED',
      message: expect.stringContaining('guard: { ask:') as string,
    });
    const asking = await engine.generate(question, { ...options, guard: { ask: 'Is that right?', phrases: never } });
    expect(asking.stats.guard?.checks).toBe(2);
    const forgetful = "{{ messages[0]['content'] }}{{ 'x' }}";
    await expect(engine.generate(question, { alignedPrompt: forgetful, guard: true })).rejects.toMatchObject({
      code: 'ERR_TEMPLATE_FAILED',
    });
    // Without a guard nobody looks at that.
    expect((await engine.generate(question, options)).stopReason).toBe('length');
  });

  test('in any mode it needs a prompt for the aligned model', async () => {
    const raw = { base: 'Question: What is a harbor?\nAnswer:\n' };
    await expect(engine.generate(raw, { mode: 'base', guard: true })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      option: 'aligned',
    });
    const both = { ...raw, aligned: promptBehind(question, undefined) };
    const guard = { phrases: never, every: 5 };
    const answer = await engine.generate(both, { mode: 'base', maxTokens: 8, guard });
    expect(answer.text).toBe((await engine.generate(raw, { mode: 'base', maxTokens: 8, stop: [] })).text);
  });

  test('it stands guard in a process of its own, and where long chats lose their oldest turns', async () => {
    await using apart = await Nudging.load({
      pair: demo('pair.json'),
      isolate: true,
      context: 128,
      guard: { every: 6, tokens: 4, phrases: never },
    });
    const turns = Array.from({ length: 9 }, () => [
      { role: 'user' as const, content: question },
      { role: 'assistant' as const, content: 'A harbor is a sheltered port.' },
    ]).flat();
    const answer = await apart.generate([...turns, { role: 'user', content: question }], { fit: 'oldest-first', maxTokens: 20 });
    expect(answer.droppedMessages).toBeGreaterThan(0);
    expect(answer.stats.guard?.checks).toBeGreaterThan(1);
    expect((await apart.generate(question, { guard: false, maxTokens: 5 })).stats.guard).toBeUndefined();
  });

  const wrong: [unknown, RegExp][] = [
    ['on', /`guard` must be true or false, or an object with every, tokens, phrases and ask; got 'on'/],
    [16, /`guard` must be true or false.*; got 16/],
    [[], /`guard` must be true or false/],
    [null, /`guard` must be true or false/],
    [{ every: 0 }, /`guard` must be a guard whose `every` is an integer from 1 to 1000000; got 0/],
    [{ every: 1.5 }, /`every` is an integer/],
    [{ tokens: 1025 }, /`tokens` is an integer from 1 to 1024; got 1025/],
    [{ phrases: [] }, /`phrases` is an array of 1 to 1000 texts/],
    [{ phrases: ['sorry', ' '] }, /`phrases` is an array/],
    // biome-ignore lint/suspicious/noSparseArray: what a program may pass
    [{ phrases: ['sorry', , 'no'] }, /`phrases` is an array/],
    [{ phrases: ['x'.repeat(201)] }, /`phrases` is an array/],
    [{ ask: '' }, /`ask` is a text/],
    [{ often: 5 }, /no other properties than every, tokens, phrases and ask; got 'often'/],
  ];
  test.each(wrong)('guard: %j is refused', async (guard, message) => {
    const error = await engine.generate(question, { guard: guard as boolean }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'guard', message: expect.stringMatching(message) as string });
  });
});

test('on the command line it is on, off, or numbers', () => {
  expect([guardIn('on'), guardIn('off'), guardIn('every=16'), guardIn('every=16, tokens=8')]).toEqual([
    true,
    false,
    { every: 16 },
    { every: 16, tokens: 8 },
  ]);
  expect(guardIn('every=many')).toEqual({ every: 'many' });
});
