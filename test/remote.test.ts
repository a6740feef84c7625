import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Nudging, type Answer, type GenerateOptions, type LoadOptions, type RemoteModel } from '../lib/index.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { spread } from './support/questions.ts';
import { FakeServer, modelOf, type FakeOptions, type Model } from './support/remote-server.ts';

const demo = { base: inRoot('models/demo/base.gguf'), aligned: inRoot('models/demo/aligned.gguf') };
const questions = spread(4).map(({ question }) => question);
const apis = ['llama-server', 'vllm', 'sglang'] as const;
const settings = { maxTokens: 24 } as const;
// Every question to the fake is one from nothing, to an engine.
vi.setConfig({ testTimeout: 120_000 });

let here: Nudging;
let model: Model;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  here = await Nudging.load(demo);
  model = modelOf(here);
});
afterAll(async () => {
  for (const one of open.reverse()) await one.close();
  await here.close();
});

const tokenize = async (text: string) => (await here.tokenize(text, { lane: 'base' })).map(({ token }) => token);

async function serve(api: RemoteModel['api'], options: Partial<FakeOptions> = {}): Promise<FakeServer> {
  const server = await FakeServer.start({ api, model, tokenize, vocabulary: here.models.base.vocabulary, ...options });
  open.push(server);
  return server;
}

function remote(server: FakeServer, api: RemoteModel['api'], more: Partial<RemoteModel> = {}): RemoteModel {
  return { url: server.url, api, tokenizer: demo.base, ...more };
}

async function load(
  server: FakeServer,
  api: RemoteModel['api'],
  more: Partial<RemoteModel> = {},
  options: LoadOptions = {},
): Promise<Nudging> {
  const nudging = await Nudging.load({ aligned: demo.aligned, base: remote(server, api, more), ...options });
  open.push(nudging);
  return nudging;
}

const tokens = ({ body }: { body: Record<string, unknown> }) =>
  Number(body['n_predict'] ?? body['max_tokens'] ?? (body['sampling_params'] as Record<string, unknown>)['max_new_tokens']);

const told = ({ text, rounds, stopReason, endedBy, stats, pieces }: Answer) => ({
  text,
  rounds,
  stopReason,
  endedBy,
  tokens: stats.tokens,
  agreed: pieces.map(({ agreed, risk }) => [agreed, risk]),
});

describe.each(apis)('a base behind %s', (api) => {
  test("gives the in-process engine's answers, round by round, in two calls a round or fewer", async () => {
    const server = await serve(api);
    const far = await load(server, api);
    expect(far.models.base).toMatchObject({ remote: { url: server.url, api }, parameters: 0, kvCache: 'none', context: 512 });
    expect(far.deterministic).toBe(false);
    expect(far.whyNotDeterministic).toContain('another machine');
    const before = server.calls.length;
    let rounds = 0;
    for (const question of questions) {
      const answer = await far.generate(question, settings);
      expect(told(answer)).toEqual(told(await here.generate(question, settings)));
      rounds += answer.rounds.length;
      expect(answer.stats.base.remote?.calls).toBeGreaterThan(0);
      expect(answer.stats.aligned.remote).toBeUndefined();
    }
    expect(server.calls.length - before).toBeLessThanOrEqual(2 * rounds + questions.length);
  });

  const ways: [string, GenerateOptions][] = [
    ['without speculation', { speculation: false }],
    ['with a fixed number of guesses', { speculation: 5 }],
    ['by a rule that compares words', { rule: 'bet' }],
    ['by a rule of the two likeliest tokens', { rule: 'margin' }],
    ['by the hybrid rule', { rule: 'hybrid' }],
    ['in reverse', { mode: 'reverse' }],
    ['alone', { mode: 'base' }],
    ['with short drafts checked, and whoever ends first', { shortDrafts: 'check', endRule: 'either' }],
    ['with a guard', { guard: true }],
    ['by a threshold that moves', { rule: { name: 'adaptive', rate: 0.02, step: 0.3, reach: 0.6 } }],
    ['with a prompt for the base alone', { mode: 'in-context', inContextPrompt: 'Question: {question}\nAnswer:\n' }],
    ['with signals', { signals: 'all' }],
  ];
  test.each(ways)('is the same %s', async (_, options) => {
    const far = await load(await serve(api), api);
    for (const question of questions.slice(0, 3)) {
      const answer = await far.generate(question, { ...settings, ...options });
      expect(told(answer)).toEqual(told(await here.generate(question, { ...settings, ...options })));
    }
  });

  test('answers several questions at once, each with calls of its own', async () => {
    const server = await serve(api, { delay: 5 });
    const far = await load(server, api, {}, { parallel: 4 });
    const answers = await Promise.all(questions.map((question) => far.generate(question, settings)));
    const alone = await Promise.all(questions.map((question) => here.generate(question, settings)));
    expect(answers.map(told)).toEqual(alone.map(told));
  });

  test('asks for one token a call without speculation, and streams runs with it', async () => {
    const server = await serve(api);
    const far = await load(server, api);
    // What was asked once is remembered, so each is asked something else.
    const calls = async (question: string, options: GenerateOptions) => {
      const before = server.calls.length;
      await far.generate(question, { ...settings, mode: 'base', stop: [], ...options });
      return server.calls.slice(before).map(tokens);
    };
    expect(await calls(questions[0] as string, { speculation: false })).toEqual(Array.from({ length: 24 }, () => 1));
    expect(await calls(questions[1] as string, {})).toEqual([25]);
  });
});
