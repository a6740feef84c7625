import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explanationOf, Nudging, replay } from '../lib/index.ts';
import { createHandler, type Handler } from '../lib/server/index.ts';
import { alongAt, alongText, wouldBe } from '../lib/server/playground/along.js';
import { aligned, common, wordsIn } from '../lib/server/playground/diff.js';
import { eventsOf } from '../lib/server/playground/events.js';
import { hashOf, requestOf, settingsFrom } from '../lib/server/playground/settings.js';
import { inRoot } from '../scripts/lib/paths.mjs';
import { spread } from './support/questions.ts';
import { ask } from './support/requests.ts';
import { serve } from './support/server.ts';

// What of the page needs no browser. test/playground-browser.test.ts has the rest.

let engine: Nudging;
let handler: Handler;
beforeAll(async () => {
  engine = await Nudging.load({ threads: 1, parallel: 4 });
  handler = createHandler(engine, { playground: true, apiKeys: ['secret'] });
});
afterAll(() => engine.close());

describe('the page and what it loads', () => {
  test('come without a key, as what they are, and run nothing but themselves', async () => {
    const page = await ask(handler, '/');
    expect({ status: page.status, type: page.headers.get('content-type') }).toEqual({ status: 200, type: 'text/html; charset=utf-8' });
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    const html = await page.text();
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?:\/\//);
    for (const [, path] of html.matchAll(/(?:src|href)="([^"]+)"/g)) expect((await ask(handler, `/${path}`)).status).toBe(200);
  });

  test('are complete: every module that a module imports is there', async () => {
    const types = new Map<string, string>();
    const wanted = ['/assets/server/playground/main.js'];
    for (const path of wanted) {
      if (types.has(path)) continue;
      const response = await ask(handler, path);
      expect({ path, status: response.status }).toEqual({ path, status: 200 });
      types.set(path, response.headers.get('content-type') ?? '');
      for (const [, name = ''] of (await response.text()).matchAll(/^(?:import|export) .*from ['"]([^'"]+)['"];$/gm))
        wanted.push(new URL(name, `http://localhost${path}`).pathname);
    }
    expect(types.size).toBeGreaterThan(15);
    expect([...new Set(types.values())]).toEqual(['text/javascript; charset=utf-8']);
  });

  test('are sent again only when they have changed', async () => {
    const etag = (await ask(handler, '/')).headers.get('etag') ?? '';
    const again = await ask(handler, '/', undefined, { headers: { 'If-None-Match': `"other", W/${etag}` } });
    expect({ status: again.status, body: await again.text() }).toEqual({ status: 304, body: '' });
    expect(again.headers.get('cache-control')).toBe('no-cache');
    expect((await ask(handler, '/', undefined, { headers: { 'If-None-Match': '"other"' } })).status).toBe(200);
  });

  test.each(['package.json', 'server/handler.js', 'server/playground/../handler.js', 'server/playground/%2e%2e/handler.js'])(
    'are all that is there: not %j',
    async (name) => expect((await ask(handler, `/assets/${name}`)).status).toBe(404),
  );

  test('stand below another path together, named from there', async () => {
    const below = createHandler(engine, { playground: true, basePath: '/api' });
    const html = await (await ask(below, '/api/')).text();
    const [, module = ''] = /src="([^"]+)"/.exec(html.slice(html.indexOf('<script'))) ?? [];
    expect((await ask(below, new URL(module, 'http://localhost/api/').pathname)).status).toBe(200);
    expect((await ask(below, '/')).status).toBe(404);
  });

  test('are not there unless they are wanted', async () => {
    const bare = createHandler(engine);
    for (const path of ['/', '/assets/server/playground/main.js']) expect((await ask(bare, path)).status).toBe(404);
  });
});

test('`nudging serve` has the page unless it is told not to', async () => {
  for (const [args, status] of [
    [[], 200],
    [['--no-playground'], 404],
  ] as const) {
    const server = await serve([...args, '--log', 'off']);
    expect((await fetch(`${server.url}/`)).status).toBe(status);
    await server.stop();
  }
});

describe('along an answer', () => {
  test('another γ changes what a replay of its decisions says, and nothing else', async () => {
    let changed = 0;
    for (const { question } of spread(6)) {
      const answer = await engine.generate(question, { trace: 'full' });
      const { words, gamma } = explanationOf(answer);
      expect(alongAt(words, gamma as number)).toEqual({ nudged: [], based: [], first: undefined });
      for (const other of [0, 0.05, 0.2, 0.39, 0.41, 0.6, 0.95, 1]) {
        const { nudged, based, first } = alongAt(words, other);
        const places = [...nudged, ...based].map((index) => words[index]?.position as number);
        const expected = replay(answer, { gamma: other });
        const turned = expected.decisions.filter(({ spoke, would }) => would !== spoke);
        expect(places.sort((one, two) => one - two)).toEqual([...new Set(turned.map(({ position }) => position))]);
        expect(first === undefined ? undefined : words[first]?.position).toBe(expected.parting?.position);
        for (const index of nudged) expect(words[index]?.source).toBe('base');
        for (const index of based) expect(words[index]?.source).toBe('nudge');
        changed += places.length;
      }
    }
    expect(changed).toBeGreaterThan(20);
  });

  test('γ is compared as the engine does, in single precision', () => {
    const word = { source: 'base', reason: 'run', base: { text: 'a', ends: false, probability: Math.fround(0.3) } } as const;
    expect(wouldBe(word, 0.3)).toBe('base');
    expect(wouldBe({ ...word, reason: 'agree' }, 1)).toBe('base');
    expect(wouldBe({ source: 'nudge', reason: 'base-end', base: { ...word.base, text: '' } }, 0)).toBe('nudge');
  });

  test('is said to be an estimate behind the first change', () => {
    const word = (text: string, probability: number) =>
      ({ text, source: 'base', reason: 'run', base: { text, ends: false, probability } }) as const;
    const words = [word('A', 0.9), word(' ship', 0.5), word(' sails', 0.5)];
    expect(alongText(words, 0.4, 0.4)).toContain('Drag');
    expect(alongText(words, 0.45, 0.4)).toContain('the answer would be the same');
    expect(alongText(words, 0.6, 0.4)).toBe(
      "Along this answer, at γ 0.60, the aligned model would speak in 2 places of the base's. " +
        'An estimate: from "ship" on the answer would go its own way.',
    );
  });
});

describe('differences', () => {
  const texts = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 14 });

  /** The length of a longest common subsequence, by the textbook. */
  const longest = (one: readonly string[], other: readonly string[]): number => {
    const table = Array.from({ length: one.length + 1 }, () => new Array<number>(other.length + 1).fill(0));
    const at = (row: number, column: number) => table[row]?.[column] ?? 0;
    for (let row = 1; row <= one.length; row += 1)
      for (let column = 1; column <= other.length; column += 1)
        (table[row] as number[])[column] =
          one[row - 1] === other[column - 1] ? at(row - 1, column - 1) + 1 : Math.max(at(row - 1, column), at(row, column - 1));
    return at(one.length, other.length);
  };

  test('have a longest common subsequence between them', () => {
    fc.assert(
      fc.property(texts, texts, (one, other) => {
        const pairs = common(one, other);
        expect(pairs).toHaveLength(longest(one, other));
        for (const [index, [here, there]] of pairs.entries()) {
          expect(one[here]).toBe(other[there]);
          const [before, above] = pairs[index - 1] ?? [-1, -1];
          expect(here > before && there > above).toBe(true);
        }
      }),
    );
  });

  test('are rows that hold every word of three texts once, in order, with the same words where they say so', () => {
    fc.assert(
      fc.property(texts, texts, texts, (left, middle, right) => {
        const all = [left, middle, right];
        const { rows } = aligned(left, middle, right);
        for (const [text, words] of all.entries())
          expect(rows.flatMap(({ ranges }) => words.slice(ranges[text]?.from, ranges[text]?.to))).toEqual(words);
        for (const { in: inside, ranges } of rows) {
          expect(ranges.some(({ from, to }) => to > from)).toBe(true);
          const same = new Set(inside.map((text) => all[text]?.slice(ranges[text]?.from, ranges[text]?.to).join(' ')));
          expect(same.size).toBeLessThan(2);
        }
      }),
    );
  });

  test('stand beside each other', () => {
    const words = (text: string) => wordsIn(text).map((word) => word.trim());
    const { rows, shared } = aligned(
      words('So a harbor is a game. Answer:'),
      words('A harbor is a port for ships. I hope this helps.'),
      words('A harbor is a tree. I hope this helps.'),
    );
    const shown = rows.map(({ in: inside, ranges }) => [inside.join(''), ...ranges.map(({ from, to }) => `${from}-${to}`)].join(' '));
    expect(shown).toEqual([' 0-2 0-1 0-1', '012 2-5 1-4 1-4', ' 5-7 4-7 4-5', '12 7-7 7-11 5-9']);
    expect(shared[1].has(0)).toBe(true);
    expect(shared[0].has(0)).toBe(false);
  });

  test('of long texts keep a page busy for less than a second or so', () => {
    const long = (seed: number) => Array.from({ length: 4000 }, (_, index) => `w${(index * seed) % 97}`);
    const before = process.cpuUsage();
    aligned(long(5), long(7), long(11));
    const { user } = process.cpuUsage(before);
    expect(user / 1000).toBeLessThan(2000);
  });
});

describe('settings', () => {
  const usual = { pair: 'demo', gamma: 0.4, rule: 'top1', length: 96, temperature: 0 };
  const settings = { ...usual, question: 'a & b = c?\n#', system: '', seed: undefined, compare: false };

  test('go through the address as they are, and what is usual is not said', () => {
    expect(hashOf({ ...settings, question: '' }, usual)).toBe('');
    const changed = { ...settings, pair: 'other', gamma: 0.55, seed: 7, compare: true, system: 'Be <b>short</b>.' };
    expect(settingsFrom(`#${hashOf(changed, usual)}`)).toEqual({
      pair: 'other',
      question: 'a & b = c?\n#',
      system: 'Be <b>short</b>.',
      gamma: 0.55,
      seed: 7,
      compare: true,
    });
  });

  test('that an address cannot mean are left out', () => {
    expect(settingsFrom('#gamma=9&length=1.5&temperature=x&seed=-1&rule=%3Cb%3E&other=1&compare=yes')).toEqual({ compare: false });
  });

  test('are what the server is asked with, and γ only where two models write', async () => {
    const { nudging, ...body } = requestOf({ ...settings, question: 'What is a harbor?', length: 3 }, 'nudge');
    const bearer = { headers: { Authorization: 'Bearer secret' } };
    for (const mode of ['nudge', 'base', 'aligned'] as const) {
      const request = requestOf({ ...settings, pair: 'nudging', question: 'What is a harbor?', length: 3, system: 'Be short.' }, mode);
      expect('gamma' in request.nudging).toBe(mode === 'nudge');
      expect((await ask(handler, '/v1/chat/completions', request, bearer)).status).toBe(200);
    }
    expect(nudging).toEqual({ mode: 'nudge', trace: true, gamma: 0.4, rule: 'top1' });
    expect(body.messages).toEqual([{ role: 'user', content: 'What is a harbor?' }]);
  });
});

describe('figures', () => {
  test('call no speed what the engine only remembered, and say how an answer ended', async () => {
    // As the browser has it: it imports other modules by their compiled names.
    const { lineOf } = await import(inRoot('dist/server/playground/figures.js'));
    const stats = { tokens: 30, nudgeRatio: 0.3, times: { total: 100 }, base: { decodes: 4 }, aligned: { decodes: 0 } };
    expect(lineOf({ stats, stopReason: 'end' }, true)).toBe('30 tokens, 300 tokens/s, 30 % nudged');
    const remembered = { ...stats, base: { decodes: 0 }, times: { total: 0.01 } };
    expect(lineOf({ stats: remembered, stopReason: 'length' }, false)).toBe('30 tokens, from memory, cut at its longest length');
  });
});

describe('a stream', () => {
  async function* parts(text: string, size: number) {
    for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
  }
  const read = async (text: string, size: number) => {
    const events: unknown[] = [];
    for await (const event of eventsOf(parts(text, size))) events.push(event);
    return events;
  };

  test('is read whatever its pieces are', async () => {
    const text = ': keep-alive\n\ndata: {"a":"x\\n\\ny"}\n\ndata: {"b":2}\n\ndata: [DONE]\n\ndata: {"late":1}\n\n';
    for (const size of [1, 2, 7, 1000]) expect(await read(text, size)).toEqual([{ a: 'x\n\ny' }, { b: 2 }]);
  });

  test('that breaks off is no whole answer', async () => {
    await expect(read('data: {"a":1}\n\ndata: {"b"', 3)).rejects.toThrow('broke off');
  });
});
