import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging } from '../lib/index.ts';
import { eventsOf } from '../lib/remote/events.ts';
import type { Question, Said, Sent } from '../lib/remote/protocol.ts';
import { protocols } from '../lib/remote/protocols.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { FakeServer, modelOf } from './support/remote-server.ts';

interface Transcript {
  server: string;
  model: string;
  servedAs?: string;
  context: number;
  vocabulary?: number;
  probe: string;
  tokens: number[];
  exchanges: { question: Question; sent: Sent; answer: { type: string; text: string } }[];
}

describe.each(['llama-server', 'vllm', 'sglang'] as const)('a real %s', (api) => {
  /** What it said, as bench/record-server.mjs wrote it down. */
  const transcript: Transcript = JSON.parse(readFileSync(inRoot(`test/transcripts/${api}.json`), 'utf8'));
  const protocol = protocols[api];
  let here: Nudging;
  let fake: FakeServer;

  beforeAll(async () => {
    here = await Nudging.load();
    const tokenize = async (text: string) => (await here.tokenize(text, { lane: 'base' })).map(({ token }) => token);
    fake = await FakeServer.start({ api, model: modelOf(here), tokenize, vocabulary: here.models.base.vocabulary });
  });
  afterAll(async () => {
    await fake?.close();
    await here?.close();
  });

  /** What our reader makes of an answer, up to where the server says no more. */
  async function read(question: Question, { type, text }: { type: string; text: string }): Promise<Said[]> {
    const reader = protocol.reader(question);
    if (!type.includes('text/event-stream')) return reader.read(JSON.parse(text));
    const said: Said[] = [];
    async function* bytes() {
      yield new TextEncoder().encode(text);
    }
    for await (const event of eventsOf(bytes())) if (event !== '[DONE]') said.push(...reader.read(JSON.parse(event)));
    return said;
  }

  test('had the file that is here', async () => {
    if (api === 'llama-server') expect(transcript.vocabulary).toBe(here.models.base.vocabulary);
    expect(transcript.context).toBe(512);
    expect((await here.tokenize(transcript.probe, { lane: 'base' })).map(({ token }) => token)).toEqual(transcript.tokens);
  });

  test.each(transcript.exchanges.map((exchange, at) => ({ at, ...exchange })))(
    'was asked question $at as it is asked, and said what the in-process engine says, and the fake',
    async ({ question, sent, answer }) => {
      expect(JSON.parse(JSON.stringify(protocol.ask(question, transcript.servedAs)))).toEqual(sent);
      expect(answer.type).toContain('stream' in sent.body && sent.body.stream ? 'text/event-stream' : 'application/json');
      const real = await read(question, answer);
      expect(real.length).toBeGreaterThanOrEqual(question.asked);

      const body = { ...sent.body, ...(transcript.servedAs === undefined ? {} : { model: 'served' }) };
      const response = await fetch(fake.url + sent.path, { method: 'POST', body: JSON.stringify(body) });
      const pretended = await read(question, { type: String(response.headers.get('content-type')), text: await response.text() });
      expect(pretended.map(({ token, goesOn }) => [token, goesOn])).toEqual(real.map(({ token, goesOn }) => [token, goesOn]));
      for (const [at, { logprob }] of real.entries())
        expect(Math.abs(Math.exp(logprob) - Math.exp(pretended[at]?.logprob ?? 0))).toBeLessThan(0.008);
    },
  );

  test('says no probability above 1, and what it was made to say where it can be', async () => {
    for (const { question, answer } of transcript.exchanges) {
      const said = await read(question, answer);
      for (const { logprob, next } of said) expect([logprob <= 0, next <= logprob]).toEqual([true, true]);
      if (api !== 'llama-server') continue;
      const forced = question.tokens.slice(question.tokens.length - question.asked + 1);
      expect(said.slice(0, forced.length).map(({ goesOn }) => goesOn)).toEqual(forced);
    }
  });
});
