import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Nudging } from '../lib/index.ts';
import { eventsOf } from '../lib/remote/events.ts';
import { llamaServer } from '../lib/remote/llama-server.ts';
import type { Question, Said, Sent } from '../lib/remote/protocol.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { FakeServer, modelOf } from './support/remote-server.ts';

interface Transcript {
  model: string;
  context: number;
  vocabulary: number;
  probe: string;
  tokens: number[];
  exchanges: { question: Question; sent: Sent; answer: { type: string; text: string } }[];
}
/** What a real server said, as bench/record-llama-server.mjs wrote it down. */
const transcript: Transcript = JSON.parse(readFileSync(inRoot('test/transcripts/llama-server.json'), 'utf8'));

let here: Nudging;
let fake: FakeServer;
beforeAll(async () => {
  here = await Nudging.load();
  const tokenize = async (text: string) => (await here.tokenize(text, { lane: 'base' })).map(({ token }) => token);
  fake = await FakeServer.start({ api: 'llama-server', model: modelOf(here), tokenize, vocabulary: here.models.base.vocabulary });
});
afterAll(async () => {
  await fake?.close();
  await here?.close();
});

/** What our reader makes of an answer, up to where the server says no more. */
async function read(question: Question, text: string): Promise<Said[]> {
  const reader = llamaServer.reader(question);
  const said: Said[] = [];
  async function* bytes() {
    yield new TextEncoder().encode(text);
  }
  for await (const event of eventsOf(bytes())) if (event !== '[DONE]') said.push(...reader.read(JSON.parse(event)));
  return said;
}

test('the file is the one that the transcript was made with, to a real server and here', async () => {
  expect(transcript.vocabulary).toBe(here.models.base.vocabulary);
  expect((await here.tokenize(transcript.probe, { lane: 'base' })).map(({ token }) => token)).toEqual(transcript.tokens);
});

test.each(transcript.exchanges.map((exchange, at) => ({ at, ...exchange })))(
  'question $at is asked as it was, and a real llama-server said what the in-process engine says, and the fake',
  async ({ question, sent, answer }) => {
    expect(JSON.parse(JSON.stringify(llamaServer.ask(question, undefined)))).toEqual(sent);
    expect(answer.type).toContain('text/event-stream');
    const real = await read(question, answer.text);
    expect(real.length).toBeGreaterThanOrEqual(question.asked);

    const response = await fetch(fake.url + sent.path, { method: 'POST', body: JSON.stringify(sent.body) });
    const pretended = await read(question, await response.text());
    expect(pretended.map(({ token, goesOn }) => [token, goesOn])).toEqual(real.map(({ token, goesOn }) => [token, goesOn]));
    for (const [at, { logprob }] of real.entries())
      expect(Math.abs(Math.exp(logprob) - Math.exp(pretended[at]?.logprob ?? 0))).toBeLessThan(0.008);
  },
);

test('what was forced is what goes on, and no probability is above 1', async () => {
  for (const { question, answer } of transcript.exchanges) {
    const said = await read(question, answer.text);
    const forced = question.tokens.slice(question.tokens.length - question.asked + 1);
    expect(said.slice(0, forced.length).map(({ goesOn }) => goesOn)).toEqual(forced);
    for (const { logprob, next } of said) expect([logprob <= 0, next <= logprob]).toEqual([true, true]);
  }
});
