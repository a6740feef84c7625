import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { inRoot } from '../scripts/lib/paths.mjs';
import { ask, Retryable } from './replicas/client.mjs';
import { cachedShare, type Request } from './replicas/load.mjs';
import { configuration, findNginx } from './replicas/nginx.mjs';
import { failuresOf, type Result, rowsOf } from './replicas/verdict.mjs';

const answer = { text: 'A place.', by: '127.0.0.1:1', prompt: 20, cached: 5 };
const request = (more: Partial<Request> = {}): Request => ({
  at: 0,
  ms: 10,
  stream: true,
  conversation: 'one',
  errors: [],
  answer,
  ...more,
});
const good: Result = {
  requests: [request(), request({ at: 100, errors: ['broken off'] })],
  attempts: ['a', 'b', 'c'],
  logged: ['a', 'c', 'b'],
  at: { killed: 105, again: 200, drained: 300, back: 400 },
  since: [3, 4],
  endedWith: 0,
};

describe('what a load on two replicas must show', () => {
  test('nothing is wrong where each request was answered, and one at the second attempt', () => {
    expect(failuresOf(good)).toEqual([]);
  });

  const wrong: [string, Partial<Result>, string][] = [
    ['a second error', { requests: [...good.requests, request({ errors: ['503', 'broken off'] })] }, 'one had to ask again 2 times'],
    ['a request that hangs', { requests: [...good.requests, request({ answer: undefined, failure: 'it hangs' })] }, 'one: it hangs'],
    ['one without an end', { requests: [...good.requests, request({ answer: undefined })] }, '1 requests are neither'],
    ['an attempt that was lost', { logged: ['a', 'b'] }, 'of 3 attempts the balancer has logged 2; missing: c'],
    ['one that was counted twice', { logged: ['a', 'b', 'c', 'c'] }, 'of 3 attempts the balancer has logged 4; missing: none'],
    ['a replica that stays away', { since: [3, 0] }, 'replica 2 takes no part after its restart'],
    ['a drain that fails', { endedWith: 1 }, 'the drained replica ended with 1'],
    ['a kill that met nobody', { requests: [request()] }, 'had no stream'],
  ];
  test.each(wrong)('%s is found', (_, change, message) => {
    expect(failuresOf({ ...good, ...change })).toEqual([expect.stringContaining(message)]);
  });

  test('requests are told apart by what happened while they ran', () => {
    const rows = rowsOf({ ...good, requests: [...good.requests, request({ at: 250, ms: 60 }), request({ at: 410, ms: 20 })] });
    expect(rows.map(([, ...counts]) => counts)).toEqual([
      ['2', '2', '0', '0', '20', '20'],
      ['1', '0', '1', '0', '10', '10'],
      ['1', '1', '0', '0', '60', '60'],
    ]);
  });

  test('what is cached counts from the second turn on', () => {
    const turn = (conversation: string, cached: number) => request({ conversation, answer: { ...answer, prompt: 10, cached } });
    expect(cachedShare([turn('one', 9), turn('two', 9), turn('one', 4), turn('two', 2)])).toBe(0.3);
  });
});

describe('the client of the load', () => {
  let server: Server | undefined;
  afterEach(() => void server?.close());
  const asked = async (respond: (response: import('node:http').ServerResponse) => void, stream = true) => {
    server = createServer((_, response) => respond(response)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server?.once('listening', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return ask(url, { attempt: 'a', conversation: 'one', messages: [], stream, onBegun: () => {} });
  };
  const kindOf = (respond: Parameters<typeof asked>[0]) =>
    asked(respond).then(
      () => 'answered',
      (error: Error) => (error instanceof Retryable ? error.kind : error.message),
    );
  const usage = { prompt_tokens: 20, prompt_tokens_details: { cached_tokens: 5 } };

  test('reads streams and whole answers alike, and who has given them', async () => {
    const frames = [{ choices: [{ delta: { content: 'A ' } }] }, { choices: [{ delta: { content: 'place.' } }] }, { choices: [], usage }];
    const head = { 'x-answered-by': '127.0.0.1:2, 127.0.0.1:1' };
    const lines = `${frames.map((frame) => `data: ${JSON.stringify(frame)}\n\n`).join('')}data: [DONE]\n\n`;
    expect(await asked((response) => response.writeHead(200, head).end(lines))).toEqual(answer);
    server?.close();
    const whole = JSON.stringify({ choices: [{ message: { content: 'A place.' } }], usage });
    expect(await asked((response) => response.writeHead(200, head).end(whole), false)).toEqual(answer);
  });

  test('takes a stream that just stops for a failure, and so one that says so', async () => {
    expect(await kindOf((response) => response.end('data: {"choices":[]}\n\n'))).toBe('broken off');
    expect(await kindOf((response) => response.end('data: {"error":{}}\n\ndata: [DONE]\n\n'))).toBe('error in the stream');
    expect(await kindOf((response) => response.write('data: ', () => response.destroy()))).toBe('broken off');
    expect(await kindOf((response) => response.destroy())).toBe('broken off');
  });

  test.each([
    [429, '429'],
    [502, '502'],
    [503, '503'],
    [504, '504'],
    [500, 'status 500: no'],
    [400, 'status 400: no'],
  ])('status %i', async (status, kind) => {
    expect(await kindOf((response) => response.writeHead(status).end('no'))).toBe(kind);
  });
});

describe('the example of nginx', () => {
  const where = { folder: '/tmp/somewhere', port: 5000, replicas: [5001, 5002], sticky: true };

  test('is what is tested, on other ports', () => {
    const text = configuration(where);
    expect(text).toContain('listen 127.0.0.1:5000;');
    expect(text).toMatch(/server 127\.0\.0\.1:5001 [^\n]*\n\s*server 127\.0\.0\.1:5002 /);
    expect(text).not.toMatch(/:808\d/);
    expect(text).toContain('default $http_x_conversation;');
    expect(configuration({ ...where, sticky: false })).not.toContain('default $http_x_conversation;');
  });

  test('says the same as the one for Kubernetes', () => {
    const directives = (file: string) => {
      const lines = readFileSync(inRoot('examples/deploy', file), 'utf8').split('\n');
      const some = lines.map((line) => line.trim()).filter((line) => /^(map|default|''|hash|zone|keepalive|client_max|proxy_)/.test(line));
      expect(some.length).toBeGreaterThan(12);
      return some;
    };
    expect(directives('kubernetes.yaml')).toEqual(directives('nginx.conf'));
  });

  test('without nginx, what is missing is said', () => {
    expect(() => findNginx(['/nowhere'])).toThrow('there is no nginx here, so nothing was tested: apt-get install nginx-light');
  });
});

describe('npm run test:replicas', () => {
  const run = (...flags: string[]) => promisify(execFile)(process.execPath, ['test/replicas/run.mjs', ...flags], { cwd: inRoot() });

  test('says what it does', async () => {
    expect((await run('--help')).stdout).toContain('Usage: npm run test:replicas');
  });

  test('refuses a load that is too short to kill somebody in it', async () => {
    await expect(run('--seconds', '5')).rejects.toThrow('--seconds cannot be "5": it must be an integer from 20 on');
  });
});
