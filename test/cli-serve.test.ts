import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { inRoot } from '../scripts/lib/paths.mjs';
import { nudging } from './support/cli.ts';
import { chatOf, chatPath, eventsIn, longChat } from './support/requests.ts';
import { serve } from './support/server.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-serve-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string) => {
  const place = path.join(folder, name);
  writeFileSync(place, text);
  return place;
};
const demo = inRoot('models/demo/pair.json');
/** No answer ends by itself. */
const endless = ['--logit-bias', '{"base":{"0":-100,"2":-100},"aligned":{"0":-100,"2":-100}}'];
const post = (url: string, body: object, headers: Record<string, string> = {}) =>
  fetch(`${url}${chatPath}`, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) });
const question = 'What is a harbor?';

describe('nudging serve', () => {
  test('says what it does in lines of JSON, and never what was asked', async () => {
    const server = await serve();
    const secret = 'Is there a xylophone?';
    expect((await post(server.url, chatOf(secret, { max_tokens: 5 }))).status).toBe(200);
    expect((await post(server.url, chatOf(secret, { temperature: secret }))).status).toBe(400);
    expect((await post(server.url, { messages: secret })).status).toBe(400);
    const { stdout, stderr, code } = await server.stop();
    expect({ stdout, code }).toEqual({ stdout: '', code: 0 });
    expect(stderr).not.toContain('xylophone');
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.flatMap(({ event }) => event ?? [])).toEqual(['listening', 'loaded', 'ready', 'draining', 'closed']);
    const requests = lines.filter(({ id }) => id !== undefined);
    expect(requests).toHaveLength(3);
    expect(requests[0]).toMatchObject({
      route: chatPath,
      status: 200,
      model: 'demo',
      caller: 'anybody',
      tokens: 5,
      stopReasons: ['length'],
    });
    expect(requests[1]).toMatchObject({ status: 400, code: 'ERR_FIELD_INVALID', level: 'warn' });
  });

  test('is for this machine, and warns where it is for everybody', async () => {
    const local = await serve(['--log', 'off']);
    expect(new URL(local.url).hostname).toBe('127.0.0.1');
    const { status } = await new Promise<{ status: number | undefined }>((resolve, reject) => {
      import('node:http').then(({ get }) =>
        get(`${local.url}/health`, { headers: { Host: 'rebound.example' } }, ({ statusCode }) => resolve({ status: statusCode })).on(
          'error',
          reject,
        ),
      );
    });
    expect(status).toBe(403);
    expect(local.log().filter(({ event }) => event === 'warning')).toEqual([]);
    expect((await local.stop()).stderr).not.toContain('"route"');

    const open = await serve(['--host', '0.0.0.0']);
    expect(open.log().find(({ event }) => event === 'warning')?.message).toContain('--api-key');
    await open.stop();
    const guarded = await serve(['--host', '0.0.0.0', '--api-key', 'k']);
    expect(guarded.log().filter(({ event }) => event === 'warning')).toEqual([]);
    await guarded.stop();
  });

  test('has several pairs, by names that are no paths', async () => {
    const server = await serve([
      '--pair',
      demo,
      '--pair',
      `other=${demo}`,
      '--gamma',
      '0.9',
      '--api-keys',
      file('keys', '# mine\nann key-of-ann\nbob key-of-bob 1\n'),
    ]);
    const bearer = (key: string) => ({ Authorization: `Bearer ${key}` });
    const models = (await (await fetch(`${server.url}/v1/models`, { headers: bearer('key-of-ann') })).json()) as any;
    expect(models.data.map(({ id }: any) => id)).toEqual(['demo', 'demo:base', 'demo:aligned', 'other', 'other:base', 'other:aligned']);
    expect(JSON.stringify(models)).not.toContain('models/demo');
    const props = (await (await fetch(`${server.url}/props`, { headers: bearer('key-of-ann') })).json()) as any;
    expect(props).toMatchObject({ default_model: 'demo', models: { other: { gamma: 0.9, context: { base: 512 } } } });
    const asked = await post(server.url, chatOf(question, { model: 'other', max_tokens: 2 }), bearer('key-of-bob'));
    expect(await asked.json()).toMatchObject({ model: 'other' });
    expect((await post(server.url, chatOf(question), bearer('key-of-bob'))).status).toBe(429);
    expect((await post(server.url, chatOf(question))).status).toBe(401);
    expect(server.log().find(({ route }) => route === chatPath)?.caller).toBe('bob');
    await server.stop();
  });

  test('lets what runs end after SIGTERM, and takes no more', async () => {
    const server = await serve([...endless]);
    const stream = await post(server.url, longChat({ max_tokens: 60 }));
    const other = await post(server.url, longChat({ max_tokens: 60 }));
    const stopped = server.stop();
    await server.logged(({ event }) => event === 'draining');
    await expect(fetch(`${server.url}/health`)).rejects.toThrow();
    const { data, done } = eventsIn(await stream.text());
    expect(done).toBe(true);
    expect(data.at(-1).choices[0].nudging.stop_reason).toBe('length');
    expect(eventsIn(await other.text()).done).toBe(true);
    expect((await stopped).code).toBe(0);
  });

  test('ends what runs longer than it may, with an error', async () => {
    const server = await serve([...endless, '--drain', '0']);
    const stream = await post(server.url, longChat());
    const reading = stream.text();
    const stopped = server.stop();
    const { data, done } = eventsIn(await reading);
    expect(done).toBe(true);
    expect(data.at(-1)).toMatchObject({ error: { code: 'ERR_NOT_READY', type: 'server_error' } });
    expect((await stopped).code).toBe(0);
  });

  const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
  test.skipIf(!hasOpenssl)('speaks TLS', async () => {
    const [cert, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
    const subject = ['-subj', '/CN=localhost', '-days', '2', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    execFileSync('openssl', ['req', '-x509', ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const server = await serve(['--tls-cert', cert, '--tls-key', key]);
    expect(server.url).toMatch(/^https:/);
    const status = await new Promise((resolve, reject) => {
      request(`${server.url}/health`, { rejectUnauthorized: false }, (response) => resolve(response.statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
    // Who never says hello does not keep it from ending.
    const silent = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => {});
    await once(silent, 'connect');
    const began = performance.now();
    expect((await server.stop()).code).toBe(0);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test('takes a key as it comes from a file, with a newline at its end', async () => {
    const server = await serve([], { env: { NUDGING_API_KEY: 'from-a-file\n' } });
    const status = async (key: string) => (await fetch(`${server.url}/v1/models`, { headers: { Authorization: `Bearer ${key}` } })).status;
    expect([await status('from-a-file'), await status('from')]).toEqual([200, 401]);
    await server.stop();
  });

  test('is not open to everybody because its key is empty but for spaces', async () => {
    const { stderr, code } = await nudging(['serve', '--port', '0', '--api-key', ' '], { raw: true });
    expect([stderr, code]).toEqual([expect.stringContaining('nothing but spaces'), 2]);
  });

  test.each<[args: string[], message: RegExp]>([
    [['words'], /^nudging: serve takes no words: leave out "words"/],
    [['--pair', demo, '--pair', demo], /two pairs are called "demo": write --pair NAME=FILE/],
    [['--pair', demo, '--pair', `x=${demo}`, '--base', 'a.gguf'], /--base, --aligned and --reference are of one pair/],
    [['--base', 'a.gguf'], /--base is half a pair/],
    [['--model-name', 'x'], /--model-name is for --base and --aligned/],
    [['--port', '70000'], /--port cannot be "70000": it must be an integer from 0 to 65535/],
    [['--tls-key', 'x'], /--tls-key needs the other half: add --tls-cert/],
    [['--api-keys', '/nowhere'], /the file of --api-keys "\/nowhere" does not exist/],
    [['--log', 'all'], /--log cannot be "all": it must be one of "json", "off"/],
    [['--host', '203.0.113.7'], /that is no address of|does not have that address/],
  ])('%j is refused in one line', async (args, message) => {
    const { stderr, code } = await nudging(['serve', ...args], { raw: true });
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(2);
  });

  test('does not quote keys that it cannot read', async () => {
    const { stderr, code } = await nudging(['serve', '--api-keys', file('bad', 'ann secret-key many\n')], { raw: true });
    expect(code).toBe(2);
    expect(stderr).toContain('line 1 of the file of --api-keys');
    expect(stderr).not.toContain('secret-key');
  });

  test('says that it is not ready while it loads, and ends where that fails', async () => {
    const { stderr, code } = await nudging(['serve', '--port', '0', '--base', 'too-big.gguf', '--aligned', 'x.gguf'], { fake: true });
    expect(code).toBe(1);
    expect(stderr).toMatch(/too big/);
  });

  test('closes connections on which nothing comes', async () => {
    const server = await serve(['--request-timeout', '0.3']);
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write(`POST ${chatPath} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{`);
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
      });
      socket.on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect((await fetch(`${server.url}/health`, { method: 'HEAD' })).status).toBe(200);
    await server.stop();
  });

  test('says where nobody else listens', async () => {
    const server = await serve();
    const { port } = new URL(server.url);
    const { stderr, code } = await nudging(['serve', '--port', port], { raw: true });
    expect({ stderr, code }).toEqual({
      stderr: `nudging: --host 127.0.0.1 --port ${port}: something listens there already: choose another port\n`,
      code: 2,
    });
    await server.stop();
  });
});
