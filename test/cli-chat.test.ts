import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, test } from 'vitest';
import { completerOf } from '../lib/cli/chat/lines.ts';
import { Marks } from '../lib/cli/chat/marks.ts';
import { Keys } from '../lib/cli/chat/paste.ts';
import { readSession, savedSession, type Session } from '../lib/cli/chat/session.ts';
import { isSlash, slashWords } from '../lib/cli/chat/slash.ts';
import { jsonLines, nudging, start, shows, type Setting } from './support/cli.ts';
import { hasPty, play, type Step } from './support/pty.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-chat-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => path.join(folder, name);
const question = 'What is a harbor?';
const real = ['chat', '--threads', '1'];
const chat = (lines: string[], args: string[] = [], setting: Setting = {}) =>
  nudging([...real, ...args], { raw: true, input: lines.map((line) => `${line}\n`).join(''), ...setting });

describe('piped in', () => {
  test('each line is a question, and the answers are all that is printed', async () => {
    const [alone, two] = await Promise.all([nudging([question]), chat([question, '', 'What is a blur?'])]);
    expect(two).toMatchObject({ stderr: '', code: 0 });
    const [first, second, ...rest] = two.stdout.split('\n');
    expect([`${first}\n`, rest]).toEqual([alone.stdout, ['']]);
    expect(second).toMatch(/blur/);
  });

  test('what was said before belongs to the question', async () => {
    const answers = jsonLines((await chat([question, question], ['--json'])).stdout);
    expect(answers).toHaveLength(2);
    const [first, second] = answers.map(({ stats }) => stats.aligned.promptTokens);
    expect(second).toBeGreaterThan(first + 10);
    const cleared = jsonLines((await chat([question, '/clear', question], ['--json'])).stdout);
    expect(cleared.map(({ text }) => text)).toEqual([answers[0].text, answers[0].text]);
  });

  test('--json prints an object for each answer, and all else on stderr', async () => {
    const { stdout, stderr } = await chat([question, '/gamma 0.9', '/gamma'], ['--json']);
    expect(jsonLines(stdout)).toMatchObject([{ stopReason: 'end', rounds: expect.any(Array), decisions: expect.any(Array) }]);
    expect(stderr).toBe('gamma: 0.9\ngamma: 0.9\n');
  });

  test('a backslash at the end of a line goes on with the next', async () => {
    expect((await chat(['one\\', 'two', 'three\\'], [], { fake: true })).stdout).toBe('one\ntwo!\nthree\n!\n');
  });

  test('settings change the next answer', async () => {
    const { stdout } = await chat([question, '/set max-tokens 3', '/clear', question, '/set stop is', '/clear', question]);
    const answers = stdout.split('\n').filter((line) => line.startsWith('A '));
    expect(answers).toEqual([expect.any(String), 'A harbor is', 'A harbor ']);
    expect(stdout).toContain('max-tokens: 3\n');
  });

  test('/rule changes who decides, and /why says how it did', async () => {
    const { stdout, stderr } = await chat(['/rule margin:margin=0.3', question, '/why']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^rule: \{"name":"margin","margin":0.3\}|^rule: \{"margin":0.3,"name":"margin"\}/);
    expect(stdout).toContain('rule margin (margin 0.3)');
    expect(stdout).not.toContain('γ');
  });

  test('/why says who wrote each word of the last answer', async () => {
    const { stdout } = await chat([question, '/why']);
    expect(stdout).toContain('\n~ ~~~~~~');
    expect(stdout).toContain('Round 1: ');
    expect(stdout).toContain('below γ 0.4');
  });

  test('/base and /aligned ask the same of one model, and are not part of the chat', async () => {
    const [said, base, aligned] = await Promise.all([
      chat([question, '/base', '/aligned', `/save ${at('alone.json')}`], ['--json']),
      nudging(['--json', '--mode', 'base', question]),
      nudging(['--json', '--mode', 'aligned', question]),
    ]);
    expect(
      jsonLines(said.stdout)
        .slice(1)
        .map(({ text }) => text),
    ).toEqual([JSON.parse(base.stdout).text, JSON.parse(aligned.stdout).text]);
    expect(readSession(readFileSync(at('alone.json'), 'utf8')).messages).toHaveLength(2);
  });

  test('/system is for the questions that follow', async () => {
    const prompts = async (lines: string[], args: string[] = []) =>
      jsonLines((await chat(lines, ['--json', '--max-tokens', '2', ...args])).stdout).map(({ stats }) => stats.aligned.promptTokens);
    const [bare] = await prompts([question]);
    const [long] = await prompts(['/system Answer in one short sentence.', question]);
    expect(long).toBeGreaterThan(bare + 4);
    expect(await prompts([question], ['--system', 'Answer in one short sentence.'])).toEqual([long]);
    expect(await prompts(['/system -', question], ['--system', 'Answer in one short sentence.'])).toEqual([bare]);
  });

  test('/save and /load go on with a chat', async () => {
    await chat([question, '/gamma 0.6', '/system Be brief.', `/save ${at('one.json')}`]);
    const session = readSession(readFileSync(at('one.json'), 'utf8'));
    expect(session).toMatchObject({
      system: 'Be brief.',
      settings: { gamma: 0.6 },
      messages: [{ role: 'user', content: question }, { role: 'assistant' }],
    });
    const [loaded, begun] = await Promise.all([
      chat([`/load ${at('one.json')}`, '/gamma', '/tokens']),
      chat(['/gamma', '/tokens'], ['--load', at('one.json')]),
    ]);
    expect(loaded.stdout).toContain('Going on with');
    expect(loaded.stdout).toMatch(/gamma: 0\.6\nbase: \d+ of 512 tokens\naligned: \d+ of 512 tokens\n$/);
    expect(loaded.stdout.endsWith(begun.stdout)).toBe(true);
    const why = await chat(['/why'], ['--load', at('one.json')]);
    expect(why.stderr).toContain('nothing was asked since the chat was loaded: write a question first');
  });

  test('/save writes over nothing but saved chats', async () => {
    writeFileSync(at('mine.txt'), 'mine');
    const { stderr, code } = await chat([`/save ${at('mine.txt')}`, `/save ${at('no/where')}`, '/save'], [], { fake: true });
    expect(code).toBe(1);
    expect(stderr.split('\n')).toEqual([
      `nudging: "${at('mine.txt')}" is there, and is no saved chat: choose another name`,
      expect.stringContaining('does not exist: check the path'),
      'nudging: /save needs a file: write /save FILE',
      '',
    ]);
    expect(readFileSync(at('mine.txt'), 'utf8')).toBe('mine');
    await chat(['one', `/save ${at('twice.json')}`, 'two', `/save ${at('twice.json')}`], [], { fake: true });
    expect(readSession(readFileSync(at('twice.json'), 'utf8')).messages).toHaveLength(4);
  });

  test('a long chat loses its oldest questions', async () => {
    const answers = jsonLines(
      (
        await chat(
          Array.from({ length: 12 }, () => question),
          ['--json', '--context', '256', '--max-tokens', '40'],
        )
      ).stdout,
    );
    expect(answers).toHaveLength(12);
    expect(answers.at(-1).droppedMessages).toBeGreaterThan(0);
    expect(answers.at(-1).text).toMatch(/^A harbor/);
  });

  test('what is wrong with one line is told, and the chat goes on', async () => {
    const { stdout, stderr, code } = await chat(
      [
        '/hepl',
        '/nothing',
        '/gamma 7',
        '/set gama 1',
        '/set pair x',
        '/why',
        '/clear it',
        '/marks blue',
        'too long',
        'one',
        '/quit',
        'two',
      ],
      [],
      { fake: true },
    );
    expect({ stdout, code }).toEqual({ stdout: 'one!\n', code: 1 });
    const lines = stderr.trimEnd().split('\n');
    expect(lines.map((line) => line.replace(/^nudging: /, ''))).toEqual([
      'there is no /hepl: did you mean /help?',
      'there is no /nothing: /help lists what there is',
      '--gamma cannot be "7": it must be a number from 0 to 2',
      'there is no setting "gama" to change here: did you mean gamma?',
      expect.stringMatching(/^there is no setting "pair" to change here: it may be weights, alpha, /),
      'nothing was asked yet: write a question first',
      '/clear takes nothing behind it: leave out "it"',
      '/marks cannot be "blue": it must be colour, brackets or none',
      expect.stringContaining('the base prompt has 9 tokens'),
    ]);
  });

  test.each([
    [['a question'], 'questions are written in the chat: leave out "a question"'],
    [['--load', at('missing')], `the file "${at('missing')}" does not exist`],
    [['--fit'], 'unknown flag --fit'],
  ])('%j is one line', async (args, message) => {
    const { stdout, stderr, code } = await nudging(['chat', ...args], { fake: true });
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toContain(message);
  });

  test.skipIf(process.platform === 'win32')('Ctrl-C ends it with what there is', async () => {
    const { child, ran } = start(['chat'], { fake: true, input: { open: true } });
    child.stdin?.write('endless\n');
    await shows(child, ' word');
    child.kill('SIGINT');
    const { stdout, code } = await ran;
    expect(stdout).toMatch(/^( word)+\n$/);
    expect(code).toBe(130);
  });
});

describe.skipIf(!hasPty)('on a terminal', () => {
  /** Without escape codes. */
  const bare = (output: string) => output.replace(/\x1b\[[0-9;?]*[a-zA-Z]/g, '');
  const prompt: Step = { expect: '> ' };
  const type = (text: string): Step[] => [{ send: `${text}\r` }];
  const leave: Step = { send: '\x04' };

  test.each([
    ['reverse', /\d+ % by the base, /],
    ['ensemble', /, an ensemble, /],
  ])('--mode %s: who spoke is said as for a single question', async (mode, said) => {
    const { output } = await play([...real, '--mode', mode], [prompt, ...type(question), { expect: 'tokens/s' }, prompt, leave]);
    expect(bare(output)).toMatch(said);
  });

  test('asks, answers in colour, and leaves with Ctrl-D', async () => {
    const { output, code } = await play(real, [prompt, ...type(question), { expect: 'tokens/s' }, prompt, leave]);
    expect(code).toBe(0);
    expect(output).toContain('\x1b[36mA\x1b[39m\x1b[36m harbor\x1b[39m is a');
    expect(bare(output)).toMatch(/33 tokens, 39 % nudged, [\d.]+ tokens\/s/);
    // Pastes are marked while it runs, and not afterwards.
    expect([output.indexOf('\x1b[?2004h'), output.lastIndexOf('\x1b[?2004l')].every((place) => place >= 0)).toBe(true);
  });

  test.each([
    ['NO_COLOR', { NO_COLOR: '1' }],
    ['a dumb terminal', { TERM: 'dumb' }],
  ])('with %s words are marked by brackets', async (_, env) => {
    const { output } = await play(real, [prompt, ...type(question), { expect: 'tokens/s' }, prompt, leave], { env, columns: 40 });
    expect(output).toContain('[A harbor] is a sheltered');
    expect(output).not.toMatch(/\x1b\[\d*m/);
    if ('TERM' in env) expect(output).not.toContain('\x1b');
  });

  test('Ctrl-C stops an answer and not the program', async () => {
    const { output, code } = await play(
      ['chat'],
      [
        prompt,
        ...type('endless'),
        { expect: ' word' },
        { send: '\x03' },
        { expect: 'stopped' },
        prompt,
        ...type('one'),
        { expect: 'one!' },
        prompt,
        leave,
      ],
      { fake: true },
    );
    expect(code).toBe(0);
    expect(bare(output)).toMatch(/( word)+\]?\s*\n.*stopped/);
  });

  test('Ctrl-C at the prompt clears the line, then says how to leave, then leaves', async () => {
    const { output, code } = await play(
      ['chat'],
      [
        prompt,
        { send: 'wrong' },
        { expect: 'wrong' },
        { send: '\x03' },
        { pause: 0.2 },
        ...type('one'),
        { expect: 'one!' },
        prompt,
        { send: '\x03' },
        { expect: 'Ctrl-C again leaves' },
        prompt,
        { send: '\x03' },
      ],
      { fake: true },
    );
    expect(code).toBe(0);
    expect(bare(output)).not.toContain('wrongone!');
    expect(output.trimEnd().endsWith('\x1b[?2004l')).toBe(true);
  });

  test('a pasted text is one question, whatever is in it', async () => {
    const paste = '\x1b[200~one\r\n/quit\n\x03\x1b[2Jtwo\x1b[201~';
    const { output, code } = await play(
      ['chat'],
      [prompt, { send: paste }, { expect: '[pasted 1: 3 lines]' }, ...type(' end'), { expect: 'tokens/s' }, prompt, leave],
      {
        fake: true,
      },
    );
    expect(code).toBe(0);
    expect(bare(output)).toMatch(/\[?one\r\n\/quit\r\n\[2Jtwo end!/);
  });

  test('what is typed while an answer is made is the next line', async () => {
    const { output } = await play(
      ['chat'],
      [prompt, ...type('slow one'), { send: 'two\r' }, { expect: 'slow one!' }, { expect: 'two!' }, prompt, leave],
      { fake: true },
    );
    expect(bare(output)).not.toContain('twoslow');
  });

  test('↑ brings back earlier lines, and Tab completes commands', async () => {
    const { output } = await play(
      ['chat'],
      [
        prompt,
        ...type('one'),
        { expect: 'one!' },
        prompt,
        { send: '\x1b[A\r' },
        { expect: 'one!' },
        prompt,
        { send: '/mar' },
        { expect: '/mar' },
        { send: '\t' },
        { expect: 'ks' },
        { send: ' none\r' },
        { expect: 'marked by: none' },
        prompt,
        leave,
      ],
      { fake: true },
    );
    expect(bare(output)).toContain('/marks none');
  });

  test.each([40, 80])('/help and /why keep to %i columns', async (columns) => {
    const { output } = await play(
      real,
      [
        prompt,
        ...type(question),
        { expect: 'tokens/s' },
        prompt,
        ...type('/why'),
        { expect: 'Round 2' },
        prompt,
        ...type('/help'),
        { expect: '/quit' },
        prompt,
        leave,
      ],
      { columns, env: { NO_COLOR: '1' } },
    );
    const help = bare(output.slice(output.indexOf('Round 2')));
    expect(help.split(/\r?\n/).filter((line) => line.length > columns)).toEqual([]);
    for (const word of slashWords) expect(help).toContain(word);
  });

  test('the terminal is as it was when the program is ended', async () => {
    const { output, code } = await play(['chat'], [prompt, ...type('/quit')], { fake: true });
    expect(code).toBe(0);
    expect(output.trimEnd().endsWith('\x1b[?2004l')).toBe(true);
  });
});

describe('keys', () => {
  /** What readline gets of these chunks. */
  async function passed(chunks: string[], wait = 0) {
    const input = new PassThrough();
    const keys = new Keys(input);
    let seen = '';
    keys.on('data', (chunk: Buffer) => {
      seen += chunk.toString('utf8');
    });
    for (const chunk of chunks) {
      input.write(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
    return { seen, keys };
  }

  test.each<[what: string, chunks: string[], seen: string]>([
    ['letters', ['a', 'b'], 'ab'],
    ['a short paste', ['\x1b[200~abc\x1b[201~d'], 'abcd'],
    ['a paste in pieces', ['x\x1b[20', '0~a', 'bc\x1b[2', '01', '~d'], 'xabcd'],
    ['a tab in a paste', ['\x1b[200~a\tb\x1b[201~'], 'a    b'],
    ['control characters in a paste', ['\x1b[200~a\x03\x1b[A\x7fb\x1b[201~'], 'a[Ab'],
    ['an end without a beginning', ['a\x1b[201~b'], 'a\x1b[201~b'],
    ['arrow keys', ['\x1b[A', '\x1b[', 'B'], '\x1b[A\x1b[B'],
    ['letters in two chunks', [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)] as unknown as string[], 'é'],
  ])('%s', async (_, chunks, seen) => expect((await passed(chunks)).seen).toBe(seen));

  test('Escape alone is passed on at once, and half a mark after a while', async () => {
    expect((await passed(['\x1b'])).seen).toBe('\x1b');
    expect((await passed(['\x1b[2'])).seen).toBe('');
    expect((await passed(['\x1b[2'], 120)).seen).toBe('\x1b[2');
  });

  test('long pastes stand for themselves in a note', async () => {
    const [long, lines] = ['x'.repeat(5000), 'one\ntwo\n'];
    const { seen, keys } = await passed([`\x1b[200~${long}\x1b[201~ and \x1b[200~${lines}\x1b[201~`]);
    expect(seen).toBe('[pasted 1: 5000 characters] and [pasted 2: 3 lines]');
    expect(keys.expand(`${seen} [pasted 3: 1 line] [pasted]`)).toBe(`${long} and ${lines} [pasted 3: 1 line] [pasted]`);
  });

  test('wait while an answer is made, and Ctrl-C forgets them', async () => {
    const input = new PassThrough();
    const keys = new Keys(input);
    let [seen, interrupts] = ['', 0];
    keys.onInterrupt = () => {
      interrupts += 1;
    };
    keys.on('data', (chunk: Buffer) => {
      seen += chunk.toString('utf8');
    });
    const send = async (text: string) => {
      input.write(text);
      await new Promise((resolve) => setImmediate(resolve));
    };
    keys.busy = true;
    await send('early');
    await send('\x03');
    await send('late');
    expect([seen, interrupts]).toEqual(['', 1]);
    keys.busy = false;
    await send('!');
    expect(seen).toBe('late!');
  });
});

describe('marks', () => {
  const plain = { nudged: (text: string) => text, dim: (text: string) => `(${text})` };
  test('brackets stand around stretches of words, not around spaces', () => {
    const marks = new Marks('brackets', plain, true);
    const pieces = [
      { text: 'A', source: 'nudge' },
      { text: ' harbor', source: 'nudge' },
      { text: ' is', source: 'base' },
      { text: ' it\x1b[2J', source: 'nudge' },
    ] as const;
    expect(pieces.map((piece) => marks.show(piece)).join('') + marks.end()).toBe('[A harbor] is [it\ufffd[2J]');
  });

  test('thinking is apart', () => {
    const marks = new Marks('none', plain, false);
    const pieces = [
      { text: 'hm', source: 'nudge', thinking: true },
      { text: 'yes', source: 'base' },
    ] as const;
    expect(pieces.map((piece) => marks.show(piece)).join('')).toBe('(hm)\n\nyes');
  });
});

describe('a saved chat', () => {
  const session: Session = {
    system: 'Be brief.',
    messages: [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
    ],
    settings: { gamma: 0.3, stop: ['x'] },
  };

  test('is read as it was written', () => {
    expect(readSession(savedSession(session))).toEqual(session);
    // What belongs to the program and not to the chat.
    expect(readSession(savedSession({ ...session, settings: { ...session.settings, trace: 'full', mode: 'base' } }))).toEqual(session);
  });

  test.each<[object | string, string]>([
    ['{', 'is not JSON'],
    [{ messages: [] }, 'is no saved chat of this version'],
    [{ nudgingChat: 2, messages: [] }, 'is no saved chat of this version'],
    [{ nudgingChat: 1, messages: {} }, '"system" or "messages" is wrong'],
    [{ nudgingChat: 1, messages: [{ role: 'assistant', content: 'a' }] }, "has a wrong message 1: it must be the user's"],
    [{ nudgingChat: 1, messages: [{ role: 'user', content: 5 }] }, 'has a wrong message 1'],
    [{ nudgingChat: 1, messages: [{ role: 'user', content: 'a' }] }, 'ends with a question that has no answer'],
    [{ nudgingChat: 1, messages: [], settings: { gamma: 9 } }, 'has wrong settings: "gamma" must be'],
    [{ nudgingChat: 1, messages: [], settings: { trace: 'full' } }, 'has wrong settings: unknown option "trace"'],
  ])('%j is refused', (value, message) => {
    expect(() => readSession(typeof value === 'string' ? value : JSON.stringify(value))).toThrow(message);
  });
});

test.each([
  ['/help', true],
  ['  /gamma 0.3', true],
  ['/usr/bin is what?', false],
  ['/ is a slash', false],
  ['what is /help?', false],
])('%j is a command: %s', (line, is) => expect(isSlash(line)).toBe(is));

test('Tab completes commands only', () => {
  expect(completerOf(slashWords)('/sa')).toEqual([['/save'], '/sa']);
  expect(completerOf(slashWords)('What')).toEqual([[], 'What']);
  expect(existsSync(folder)).toBe(true);
});
