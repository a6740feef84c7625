import { describe, expect, test } from 'vitest';
import { Breaker } from '../lib/remote/breaker.ts';
import { Cut } from '../lib/remote/cut.ts';
import { eventsOf } from '../lib/remote/events.ts';
import { LeftOut, type Question, type Said } from '../lib/remote/protocol.ts';
import { protocols } from '../lib/remote/protocols.ts';
import { Turnstile } from '../lib/remote/turnstile.ts';

const question = (asked: number, run = 0): Question => ({ tokens: [1, 2, 3, 4, 5], asked, run });

describe('llama-server', () => {
  const { ask, reader, facts } = protocols['llama-server'];

  test('is asked with the prompt that is known, and a draft as a grammar of token ids', () => {
    expect(ask(question(1, 3), undefined)).toMatchObject({
      path: '/completion',
      body: { prompt: [1, 2, 3, 4, 5], n_predict: 4, n_probs: 2 },
    });
    expect(ask(question(1), undefined).body).not.toHaveProperty('grammar');
    const { body } = ask(question(3, 2), 'm');
    expect(body).toMatchObject({ prompt: [1, 2, 3], n_predict: 5, grammar: 'root ::= <[4]> <[5]> !<[0]>*', model: 'm', temperature: 0 });
  });

  test('says what is likeliest, whatever it was made to say', () => {
    const event = {
      content: ' x',
      tokens: [4],
      stop: false,
      completion_probabilities: [
        {
          id: 4,
          logprob: -3,
          top_logprobs: [
            { id: 9, logprob: -0.1 },
            { id: 4, logprob: -3 },
          ],
        }, // prettier-ignore
      ],
    };
    expect(reader(question(2)).read(event)).toEqual([{ token: 9, logprob: -0.1, next: -3, goesOn: 4 }]);
    expect(reader(question(1)).read({ content: '', stop: true, stop_type: 'eos' })).toEqual([]);
  });

  test('leaves out tokens that end in the middle of a character: then it is asked again, for a token of whole text', () => {
    const event = (count: number) => ({
      stop: false,
      tokens_predicted: count,
      completion_probabilities: [{ id: 4, top_logprobs: [{ id: 4, logprob: -0.1 }] }],
    });
    const stream = reader(question(1, 5));
    expect(stream.read(event(1))).toHaveLength(1);
    expect(stream.read(event(2))).toHaveLength(1);
    expect(() => stream.read(event(4))).toThrow(LeftOut);
    expect(() => reader(question(1)).read({ stop: true, tokens_predicted: 1 })).toThrow(LeftOut);
    expect(ask({ ...question(1), again: true }, undefined).body).toMatchObject({ grammar: 'root ::= [ -~]+', n_predict: 1 });
  });

  test('tells its context and vocabulary', () => {
    const models = { data: [{ id: 'a.gguf', meta: { n_vocab: 32000 } }] };
    expect(facts([{ default_generation_settings: { n_ctx: 4096 } }, models])).toEqual({
      models: ['a.gguf'],
      context: 4096,
      vocabulary: 32000,
    });
    expect(facts([undefined, undefined])).toEqual({ models: [] });
  });
});

describe('vllm', () => {
  const { ask, reader, facts } = protocols.vllm;
  const logprobs = (token: number, top: Record<string, number>) => ({
    tokens: [`token_id:${token}`],
    token_logprobs: [-1],
    top_logprobs: [top],
  });

  test('is asked about a draft with one prompt for each of its beginnings', () => {
    expect(ask(question(1, 3), 'm')).toMatchObject({
      path: '/v1/completions',
      body: { prompt: [1, 2, 3, 4, 5], max_tokens: 4, stream: true },
    });
    expect(ask(question(3, 3), 'm').body).toMatchObject({
      prompt: [
        [1, 2, 3],
        [1, 2, 3, 4],
        [1, 2, 3, 4, 5],
      ], // prettier-ignore
      max_tokens: 1,
      stream: false,
      return_tokens_as_token_ids: true,
      add_special_tokens: false,
    });
  });

  test('has its choices sorted by their prompts, and clamped logarithms', () => {
    const choices = [
      { index: 1, text: 'b', logprobs: logprobs(8, { 'token_id:8': -0.2, 'token_id:7': -9999 }) },
      { index: 0, text: 'a', logprobs: logprobs(6, { 'token_id:6': -0.3, 'token_id:5': -2 }) },
    ];
    expect(reader(question(2)).read({ choices })).toEqual([
      { token: 6, logprob: -0.3, next: -2, goesOn: 6 },
      { token: 8, logprob: -0.2, next: -9999, goesOn: 8 },
    ]);
    expect(() => reader(question(3)).read({ choices })).toThrow('3 prompts have 2 choices');
  });

  test('a stream ends with a choice that has nothing', () => {
    const read = reader(question(1, 5));
    expect(read.read({ choices: [{ index: 0, text: '', logprobs: null, finish_reason: 'length' }] })).toEqual([]);
    expect(() => read.read({ choices: [{ index: 0, text: 'a', logprobs: null }] })).toThrow('no logprobs');
  });

  test('of two that are equally likely, what it goes on with is the likeliest', () => {
    const choice = { index: 0, text: 'a', logprobs: logprobs(6, { 'token_id:5': -0.7, 'token_id:6': -0.7 }) };
    expect(reader(question(1)).read({ choices: [choice] })[0]).toMatchObject({ token: 6, next: -0.7 });
  });

  test('texts in place of token ids are refused', () => {
    const choice = { index: 0, text: 'a', logprobs: { tokens: [' a'], top_logprobs: [{ ' a': -0.1 }] } };
    expect(() => reader(question(1)).read({ choices: [choice] })).toThrow('token_id:N');
  });

  test('tells its models and how long they may be', () => {
    expect(facts([{ data: [{ id: 'm', max_model_len: 8192 }] }])).toEqual({ models: ['m'], context: 8192 });
  });
});

describe('sglang', () => {
  const { ask, reader } = protocols.sglang;
  const place = (token: number, logprob: number) => [
    [logprob, token, null],
    [logprob - 1, 0, null],
  ]; // prettier-ignore
  const meta = (more: object) => ({
    text: '',
    meta_info: { completion_tokens: 0, output_top_logprobs: [], output_token_logprobs: [], ...more },
  });

  test('is asked for what follows inside the prompt, from one token in front of the draft on', () => {
    expect(ask(question(1, 3), undefined)).toMatchObject({
      path: '/generate',
      body: { input_ids: [1, 2, 3, 4, 5], logprob_start_len: -1, stream: true, sampling_params: { max_new_tokens: 4 } },
    });
    // Two tokens are drafted: 4 and 5. The entry of token 3 is the null.
    expect(ask(question(3), undefined).body).toMatchObject({ logprob_start_len: 2, stream: false, top_logprobs_num: 2 });
  });

  test('has a null in front, or another token', () => {
    const more = { completion_tokens: 1, output_top_logprobs: [place(8, -0.3)], output_token_logprobs: [[-0.3, 8, null]] };
    const said: Said[] = [
      { token: 6, logprob: -0.1, next: -1.1, goesOn: 4 },
      { token: 7, logprob: -0.2, next: -1.2, goesOn: 5 },
      { token: 8, logprob: -0.3, next: -1.3, goesOn: 8 },
    ];
    const inside = [place(6, -0.1), place(7, -0.2)];
    for (const first of [[null], [place(3, -5)], []]) {
      expect(reader(question(3)).read(meta({ ...more, input_top_logprobs: [...first, ...inside] }))).toEqual(said);
    }
    expect(() => reader(question(3)).read(meta({ ...more, input_top_logprobs: [null, place(7, -0.2)] }))).toThrow('where a list');
    expect(() => reader(question(3)).read(meta({ ...more, input_top_logprobs: [place(7, -0.2)] }))).toThrow('2 drafted tokens have 1');
  });

  test.each([
    ['repeat what was before', true],
    ['say only what is new', false],
  ])('events that %s are read alike', (_, repeats) => {
    const places = [place(6, -0.1), place(7, -0.2), place(8, -0.3)];
    const own = [
      [-0.1, 6, null],
      [-0.2, 7, null],
      [-0.3, 8, null],
    ]; // prettier-ignore
    const stream = reader(question(1, 2));
    const said = [1, 2, 3].flatMap((count) => {
      const from = repeats ? 0 : count - 1;
      return stream.read(
        meta({ completion_tokens: count, output_top_logprobs: places.slice(from, count), output_token_logprobs: own.slice(from, count) }),
      );
    });
    expect(said.map(({ token }) => token)).toEqual([6, 7, 8]);
  });
});

describe('what is wanted of an answer', () => {
  const said = (token: number, p = 0.9, goesOn = token): Said => ({ token, logprob: Math.log(p), next: -9, goesOn });
  const cut = (asked: number, run: number, certainty = 0.4) => new Cut({ tokens: Int32Array.of(1, 2, 3), asked, run, certainty });

  test('a run goes on while the model is sure, and holds what ends it', () => {
    const one = cut(1, 10);
    expect(one.take([said(4), said(5)])).toHaveLength(2);
    expect([one.done, one.broke]).toEqual([true, false]);
    expect(one.take([said(6, 0.3), said(7)])).toHaveLength(1);
    expect(one.broke).toBe(true);
    expect(one.take([said(8)])).toEqual([]);
  });

  test('a server that ends by itself is not cut off', () => {
    const one = cut(1, 1);
    expect(one.take([said(4), said(5)])).toHaveLength(2);
    expect(one.broke).toBe(false);
  });

  test('behind a draft it goes on only where the model would have come', () => {
    const agrees = cut(3, 5);
    expect(agrees.take([said(2), said(3), said(4), said(5)])).toHaveLength(4);
    const differs = cut(3, 5);
    expect(differs.take([said(2), said(9), said(4), said(5)])).toHaveLength(3);
    expect(differs.broke).toBe(true);
    // What it is unsure of inside of the draft ends nothing.
    expect(cut(3, 5).take([said(9, 0.1), said(3, 0.1), said(4), said(5)])).toHaveLength(4);
  });

  test('a token that is not the likeliest ends it', () => {
    const one = cut(1, 5);
    expect(one.take([said(4, 0.5, 6), said(7)])).toHaveLength(1);
    expect(one.broke).toBe(true);
  });
});

test('a breaker opens after five failures in a row, for longer each time, and one finds out for all', () => {
  let now = 0;
  const breaker = new Breaker(() => now);
  const fail = () => {
    breaker.begin();
    breaker.failed();
  };
  for (let i = 0; i < 4; i += 1) fail();
  expect(breaker.closedFor).toBe(0);
  breaker.worked();
  for (let i = 0; i < 5; i += 1) fail();
  expect(breaker.closedFor).toBe(1000);
  now = 1000;
  expect(breaker.closedFor).toBe(0);
  breaker.begin();
  expect(breaker.closedFor).toBeGreaterThan(0);
  breaker.failed();
  expect(breaker.closedFor).toBe(2000);
  now = 3000;
  breaker.begin();
  breaker.worked();
  expect(breaker.closedFor).toBe(0);
});

test('a turnstile lets so many pass, in their order, and those who leave are forgotten', async () => {
  const turnstile = new Turnstile(1);
  const { signal } = new AbortController();
  const leave = await turnstile.enter(signal);
  const order: number[] = [];
  const passes = (number: number) => (done: () => void) => {
    order.push(number);
    done();
  };
  const gone = new AbortController();
  const left = turnstile.enter(gone.signal).catch(() => order.push(0));
  const second = turnstile.enter(signal).then(passes(2));
  const third = turnstile.enter(signal).then(passes(3));
  gone.abort();
  await left;
  leave();
  await Promise.all([second, third]);
  expect(order).toEqual([0, 2, 3]);
});

test('events are read whatever their parts arrive in', async () => {
  const text = ': ping\n\ndata: {"a":"grün"}\r\n\r\nevent: x\ndata: one\ndata: two\n\ndata:[DONE]\n\ndata: cut off\n';
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 2, 7, bytes.length]) {
    const chunks = (async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    })();
    const events: string[] = [];
    for await (const event of eventsOf(chunks)) events.push(event);
    expect(events).toEqual(['{"a":"grün"}', 'one\ntwo', '[DONE]']);
  }
});
