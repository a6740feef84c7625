import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { savedAnswer } from '../lib/explain/saved.ts';
import { explanationOf } from '../lib/index.ts';
import { alongAt } from '../lib/server/playground/along.js';
import { inRoot } from '../scripts/lib/paths.mjs';
import { chromiumPath, needsChromium, openBrowser } from './support/browser.ts';
import { chatPath, chatOf, until } from './support/requests.ts';
import { serve, type RunningServer } from './support/server.ts';

// The page as people have it: a real browser, the built command, the demo pair.

/** The base is unsure in many places of its answer. */
const question = 'What is a lantern used for?';
const demo = inRoot('models/demo/pair.json');

describe.skipIf(chromiumPath === undefined)(`the playground in a browser${needsChromium}`, { timeout: 120_000 }, () => {
  let server: RunningServer;
  let browser: Browser;
  beforeAll(async () => {
    [server, browser] = await Promise.all([serve(['--parallel', '4', '--log', 'off']), openBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** What the server says of the same question. */
  const answerOf = async (nudging: object = {}) => {
    const body = chatOf(question, { nudging: { trace: true, ...nudging } });
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
    return ((await (await fetch(`${server.url}${chatPath}`, init)).json()) as any).choices[0].nudging.answer;
  };
  const explained = async (nudging?: object) => {
    const { answer, asked } = savedAnswer(await answerOf(nudging));
    return explanationOf(answer, asked);
  };

  /** Opens the page, and has it closed when the test is over. What it complains of is an error of the test. */
  async function withPage(act: (page: Page) => Promise<void>, { hash = '', url = server.url, ...options }: Opening = {}): Promise<void> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      // Refused requests are shown there too; the page says those itself.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(`${url}/`)) complaints.push(`asks ${request.url()}`);
    });
    try {
      await page.goto(`${url}/${hash === '' ? '' : `#${hash}`}`);
      await act(page);
      expect(complaints).toEqual([]);
    } finally {
      await context.close();
    }
  }
  interface Opening extends BrowserContextOptions {
    hash?: string;
    url?: string;
  }

  const ready = (page: Page) => page.locator('#about', { hasText: 'nudged by' }).waitFor();
  const askThere = async (page: Page) => {
    await ready(page);
    await page.fill('#question', question);
    await page.keyboard.press('Enter');
    await finished(page);
  };
  const finished = (page: Page) => page.locator('#state', { hasText: /ended by itself|cut at/ }).waitFor();
  const wordsOf = (page: Page) => page.locator('#words [role=option]').evaluateAll((all) => all.map((word) => word.textContent));
  const marked = (page: Page, kind: string) =>
    page.locator(`#words .would-${kind}`).evaluateAll((all) => all.map((word) => Number((word as any).dataset.word)));

  test('shows who wrote which words, why, and in figures', () =>
    withPage(async (page) => {
      await askThere(page);
      const { words, rounds, nudgedTokens, tokens } = await explained();
      expect(await wordsOf(page)).toEqual(words.map(({ text }) => text));
      const nudged = await page.locator('#words .nudge').evaluateAll((all) => all.map((word) => Number((word as any).dataset.word)));
      expect(nudged).toEqual(words.flatMap(({ source }, index) => (source === 'nudge' ? [index] : [])));
      // Not by colour alone.
      const { weight, line } = await page
        .locator('#words .nudge')
        .first()
        .evaluate((word) => {
          const { fontWeight, textDecorationLine } = getComputedStyle(word);
          return { weight: fontWeight, line: textDecorationLine };
        });
      expect({ weight, line }).toEqual({ weight: '600', line: 'underline' });
      expect(await page.locator('#figures').textContent()).toContain(`${Math.round((nudgedTokens / tokens) * 100)} % of ${tokens} tokens`);
      expect(await page.locator('#figures').textContent()).toMatch(/Speed(\d+ tokens\/s|from memory)/);
      expect(await page.locator('#rounds > ol > li').count()).toBe(rounds.length);

      const index = words.findIndex(({ reason, base }) => reason === 'unsure' && base?.text.trim() !== '');
      await page.locator('#words [role=option]').nth(index).hover();
      const card = await page.locator('#card').textContent();
      expect(card).toContain('The base was not sure enough: p 0.');
      expect(card).toContain(`the base would have said${JSON.stringify(words[index]?.base?.text)}`);
      expect(card).toContain(words[index]?.base?.probability.toFixed(2));
      expect(await page.locator(`.bar.on`).getAttribute('data-word')).toBe(String(index));
    }));

  test('is used with the keyboard alone, and told to screen readers by sentences', () =>
    withPage(async (page) => {
      await askThere(page);
      expect(await page.locator('#words [tabindex="0"]').count()).toBe(1);
      await page.locator('#words [tabindex="0"]').focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowDown');
      const focused = () => page.evaluate(() => (document.activeElement as any)?.dataset.word);
      expect(await focused()).toBe('2');
      expect(await page.locator('#w2').getAttribute('aria-selected')).toBe('true');
      expect(await page.locator('#why').textContent()).not.toBe('');
      await page.keyboard.press('End');
      expect(await focused()).toBe(String((await wordsOf(page)).length - 1));
      await page.keyboard.press('Home');
      await page.keyboard.press('ArrowLeft');
      expect(await focused()).toBe('0');
      // The next stop of the Tab key is not the next word.
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('slider');
      const said = await page.locator('#said p').allTextContents();
      expect(said.join(' ').replace(/\s+/g, ' ')).toBe((await wordsOf(page)).join('').replace(/\s+/g, ' ').trim());
      expect(said.length).toBeGreaterThan(1);
    }));

  test('has a line of γ that is dragged along this answer, and asks again with it', () =>
    withPage(async (page) => {
      await askThere(page);
      const slider = page.getByRole('slider', { name: 'γ along this answer' });
      expect(await slider.getAttribute('aria-valuenow')).toBe('0.4');
      expect(await page.locator('#again').isDisabled()).toBe(true);
      await slider.scrollIntoViewIfNeeded();
      const box = await slider.boundingBox();
      if (!box) throw new Error('there is no line');
      const [x, y] = [box.x + box.width - 30, box.y + box.height / 2];
      await page.mouse.move(x, y);
      await page.mouse.down();
      // The strip is 96 pixels high.
      await page.mouse.move(x, y - 0.25 * 96, { steps: 5 });
      await page.mouse.up();
      const gamma = Number(await slider.getAttribute('aria-valuenow'));
      expect(gamma).toBeCloseTo(0.65, 1.5);
      const { words } = await explained();
      const { nudged, based } = alongAt(words, gamma);
      expect(nudged.length).toBeGreaterThan(0);
      expect({ nudged: await marked(page, 'nudge'), based: await marked(page, 'base') }).toEqual({ nudged, based });
      expect(await page.locator('#along-text').textContent()).toContain('An estimate');

      await slider.focus();
      await page.keyboard.press('Home');
      await page.keyboard.press('PageUp');
      expect(await slider.getAttribute('aria-valuenow')).toBe('0.1');
      expect({ nudged: await marked(page, 'nudge'), based: await marked(page, 'base') }).toEqual({
        nudged: [],
        based: alongAt(words, 0.1).based,
      });
      await page.locator('#again').click();
      await page.locator('#state', { hasText: 'γ 0.1,' }).waitFor();
      expect(await page.inputValue('#gamma')).toBe('0.1');
      expect(new URL(page.url()).hash).toContain('gamma=0.1');
      expect(await wordsOf(page)).toEqual((await explained({ gamma: 0.1 })).words.map(({ text }) => text));
      expect(await marked(page, 'base')).toEqual([]);
    }));

  test('has each model alone beside it', () =>
    withPage(
      async (page) => {
        await askThere(page);
        await page.locator('#columns-text', { hasText: 'words of the nudged answer' }).waitFor();
        const columns = await page.locator('#table [role=row]').evaluateAll((rows) =>
          [0, 1, 2].map((column) =>
            rows
              .slice(1)
              .map((row) => row.children[column]?.textContent ?? '')
              .filter((text) => text !== '–')
              .join(' '),
          ),
        );
        const plain = (text = '') => text.replace(/\s+/g, ' ').trim();
        const texts = await Promise.all(['base', 'nudge', 'aligned'].map(async (mode) => (await answerOf({ mode })).text));
        expect(new Set(texts).size).toBe(3);
        expect(columns.map(plain)).toEqual(texts.map(plain));
        const heads = await page.getByRole('columnheader').allTextContents();
        expect(heads[0]).toMatch(/^Base alone\d+ tokens, (\d+ tokens\/s|from memory)/);
        expect(heads[1]).toMatch(/^Nudged.*% nudged$/);
        expect(await page.locator('#table mark').count()).toBeGreaterThan(0);
      },
      { hash: 'compare=1' },
    ));

  test('keeps settings in its address, and takes them from there', () =>
    withPage(
      async (page) => {
        await ready(page);
        expect(await page.inputValue('#question')).toBe('Is <b>this</b> & that?');
        expect({ gamma: await page.inputValue('#gamma'), length: await page.inputValue('#length') }).toEqual({
          gamma: '0.7',
          length: '96',
        });
        await page.fill('#length', '5');
        await page.waitForFunction(() => location.hash.includes('length'));
        expect(new URL(page.url()).hash).toBe('#q=Is+%3Cb%3Ethis%3C%2Fb%3E+%26+that%3F&gamma=0.7&length=5');
        await page.click('#go');
        await finished(page);
        expect(await page.locator('#state').textContent()).toContain('γ 0.7, 5 tokens');
      },
      { hash: 'q=Is+%3Cb%3Ethis%3C%2Fb%3E+%26+that%3F&gamma=0.7' },
    ));

  test('copies the answer as text, as JSON that can be explained again, and as a page', () =>
    withPage(
      async (page) => {
        await askThere(page);
        const copied = async (name: string) => {
          await page.getByRole('button', { name }).click();
          await page.locator('#state', { hasText: 'Copied as' }).waitFor();
          return page.evaluate(() => navigator.clipboard.readText());
        };
        const answer = await answerOf();
        expect(await copied('Copy text')).toBe(answer.text);
        const json = JSON.parse(await copied('Copy JSON'));
        expect(json).toMatchObject({ question, mode: 'nudge', model: 'demo', text: answer.text });
        const { answer: saved, asked } = savedAnswer(json);
        expect(explanationOf(saved, asked).words).toEqual((await explained()).words);
        const html = await copied('Copy HTML');
        expect(html).toMatch(/^<!doctype html>/);
        expect(html).toContain(`<h1 dir="auto">${question}</h1>`);
      },
      { permissions: ['clipboard-read', 'clipboard-write'] },
    ));

  test('stops, keeps what is there, and leaves the place', async () => {
    const bias = '{"base":{"0":-100,"2":-100},"aligned":{"0":-100,"2":-100}}';
    const endless = await serve(['--parallel', '1', '--logit-bias', bias]);
    await withPage(
      async (page) => {
        await ready(page);
        await page.click('#go');
        await page.locator('#words [role=option]').first().waitFor();
        expect(await page.locator('#stop').isEnabled()).toBe(true);
        await page.click('#stop');
        await page.locator('#state', { hasText: 'Stopped.' }).waitFor();
        expect((await wordsOf(page)).length).toBeGreaterThan(0);
        await page.locator('#words [role=option]').first().click();
        expect(await page.locator('#why').textContent()).toContain('come with the end of an answer');
        expect(await page.locator('#along').isHidden()).toBe(true);
        await until(() => endless.log().some(({ left, stopReasons }) => left && stopReasons?.[0] === 'aborted'));
        // The next question goes as ever.
        await page.fill('#length', '3');
        await page.click('#go');
        await finished(page);
      },
      { url: endless.url, hash: 'q=Go+on&gamma=2&length=400' },
    );
    await endless.stop();
  });

  test('asks for a key where one is wanted, keeps it in the tab, and serves several pairs', async () => {
    const guarded = await serve(['--pair', demo, '--pair', `other=${demo}`, '--api-key', 'secret', '--log', 'off']);
    await withPage(
      async (page) => {
        await page.locator('#key-form').waitFor();
        expect(await page.locator('#problem').isHidden()).toBe(true);
        await page.fill('#key', 'wrong');
        await page.keyboard.press('Enter');
        await page.locator('#problem', { hasText: 'invalid_api_key' }).waitFor();
        await page.fill('#key', 'secret');
        await page.keyboard.press('Enter');
        await ready(page);
        expect(await page.locator('#key-form').isHidden()).toBe(true);
        expect(await page.evaluate(() => [sessionStorage.length, localStorage.length, document.cookie])).toEqual([1, 0, '']);
        await page.reload();
        await ready(page);
        await page.selectOption('#pair', 'other');
        await askThere(page);
        expect(new URL(page.url()).hash).toContain('pair=other');
        expect(page.url()).not.toContain('secret');
      },
      { url: guarded.url },
    );
    await guarded.stop();
  });

  test('waits for what is still loading, and keeps what is typed meanwhile', () =>
    withPage(async (page) => {
      await ready(page);
      const loading = { default_model: 'demo', limits: { tokens: 1000 }, models: { demo: { state: 'loading' } } };
      await page.route('**/props', (route) => route.fulfill({ json: loading }), { times: 1 });
      await page.route('**/v1/models', (route) => route.fulfill({ json: { data: [{ id: 'demo', nudging: { models: {} } }] } }), {
        times: 1,
      });
      await page.reload();
      await page.locator('#about', { hasText: 'is being loaded' }).waitFor();
      await page.fill('#question', 'Typed early');
      await ready(page);
      expect(await page.inputValue('#question')).toBe('Typed early');
      expect(await page.inputValue('#length')).toBe('96');
    }));

  test('says what went wrong, and goes on', () =>
    withPage(async (page) => {
      await ready(page);
      await page.route('**/v1/chat/completions', (route) =>
        route.fulfill({
          contentType: 'text/event-stream',
          body: 'data: {"error":{"message":"<b>gone</b>","code":"ERR_X"}}\n\ndata: [DONE]\n\n',
        }),
      );
      await page.fill('#question', 'x');
      await page.click('#go');
      await page.getByRole('alert').filter({ hasText: '<b>gone</b> (ERR_X)' }).waitFor();
      await page.unroute('**/v1/chat/completions');
      await page.route('**/v1/chat/completions', (route) => route.abort());
      await page.click('#go');
      await page.getByRole('alert').filter({ hasText: 'the server does not answer' }).waitFor();
      await page.unroute('**/v1/chat/completions');
      await askThere(page);
      expect(await page.locator('#problem').isHidden()).toBe(true);
    }));

  test.each<[name: string, options: BrowserContextOptions]>([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['at 200 %', { viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 }],
    ['on a phone', { viewport: { width: 360, height: 740 }, hasTouch: true, colorScheme: 'dark' }],
  ])('can be read by everybody: %s', (_, options) =>
    withPage(
      async (page) => {
        await ready(page);
        await check(page, 'before');
        await page.locator('details summary').first().click();
        await askThere(page);
        await page.locator('#columns-text', { hasText: 'words of the nudged answer' }).waitFor();
        await page.locator('#words [role=option]').nth(3).click();
        await page.getByRole('slider').press('PageUp');
        await page.getByRole('slider').press('PageUp');
        expect((await marked(page, 'nudge')).length).toBeGreaterThan(0);
        await page.locator('#rounds > summary').click();
        await check(page, 'with an answer');
        // The card does not hide the word that it is about.
        const [word, card] = await Promise.all(['#words .on', '#card'].map((each) => page.locator(each).boundingBox()));
        if (word && card) expect(word.y + word.height <= card.y || word.y >= card.y + card.height).toBe(true);
      },
      { hash: 'compare=1', ...options },
    ),
  );

  async function check(page: Page, when: string): Promise<void> {
    const { width, inner } = await page.evaluate(() => ({ width: document.documentElement.scrollWidth, inner: innerWidth }));
    expect({ when, fits: width <= inner }).toEqual({ when, fits: true });
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() =>
      (globalThis as any).axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
    );
    expect(
      violations.map(({ id, nodes }: any) => [when, id, ...nodes.map(({ html, failureSummary }: any) => `${html} ${failureSummary}`)]),
    ).toEqual([]);
  }
});
