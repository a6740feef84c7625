import { once } from 'node:events';
import { createServer } from 'node:net';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadNative } from '../lib/native.ts';
import { probe } from '../lib/rpc/probe.ts';
import { nudging, shows, start } from './support/cli.ts';
import { freePort } from './support/rpc-peers.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-rpc-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const greets = (port: number) => probe(`127.0.0.1:${port}`, loadNative().rpcProtocol, 2000);

test('the help says for whom it is', async () => {
  const { stdout } = await nudging(['rpc-server', '--help'], { fake: true });
  expect(stdout).toContain('FOR CLOSED NETWORKS ONLY');
  expect(stdout.replace(/\s+/g, ' ')).toContain('There is no password and no encryption');
});

test('serves on this machine alone unless it is told otherwise, until Ctrl-C', async () => {
  const port = await freePort();
  const { child, ran } = start(['rpc-server', '--port', `${port}`, '--verbose'], { group: true });
  await shows(child, `serving CPU at 127.0.0.1:${port}\n`, 'stderr');
  await greets(port);
  await shows(child, 'Client connection closed', 'stderr');
  // As a terminal does: to all processes of the group.
  process.kill(-(child.pid as number), 'SIGINT');
  const { stdout, stderr, code } = await ran;
  expect([stdout, code]).toEqual(['', 0]);
  expect(stderr).not.toContain('whoever reaches');
  await expect(greets(port)).rejects.toMatchObject({ code: 'ERR_RPC_UNREACHABLE' });
});

test('says what an open address means, and ends when a service manager says so', async () => {
  const port = await freePort();
  const { child, ran } = start(['rpc-server', '--host', '0.0.0.0', '--port', `${port}`, '--threads', '1']);
  await shows(child, `serving CPU at 0.0.0.0:${port}\n`, 'stderr');
  await greets(port);
  child.kill('SIGTERM');
  expect(await ran).toMatchObject({ code: 0, stderr: expect.stringContaining(`whoever reaches 0.0.0.0:${port} can use and crash this`) });
});

test('killed, it takes the server along', async () => {
  const port = await freePort();
  const { child, ran } = start(['rpc-server', '--port', `${port}`]);
  await shows(child, 'serving', 'stderr');
  child.kill('SIGKILL');
  await ran;
  await expect.poll(() => greets(port).catch(({ message }: Error) => message)).toContain('refused');
});

test('refuses what cannot be', async () => {
  const taken = createServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  const file = path.join(folder, 'file');
  writeFileSync(file, '');
  const wrong: [string[], RegExp, number][] = [
    [['--port', `${port}`], /^nudging: --host 127\.0\.0\.1 --port \d+: something listens there already: choose another port\n$/, 2],
    [['--host', '10.255.255.254'], /this machine does not have that address/, 2],
    [['--host', 'localhost'], /--host cannot be "localhost": it must be an IPv4 address/, 2],
    [['--host', '::1'], /it must be an IPv4 address/, 2],
    [['--port', '0'], /it must be an integer from 1 to 65535/, 2],
    [['--threads', '0'], /it must be an integer from 1 to 512/, 2],
    [['--cache', path.join(file, 'inside')], /the folder of --cache ".*" does not exist: check the path|is a file/, 2],
    [['--devices', 'CUDA7'], /there is no device "CUDA7": this machine has CPU/, 1],
    [['question'], /rpc-server takes no words: leave out "question"/, 2],
  ];
  try {
    const refused = wrong.map(async ([flags, message, code]) => {
      const port = flags.includes('--port') ? [] : ['--port', `${await freePort()}`];
      const ran = await nudging(['rpc-server', ...port, ...flags], { raw: true });
      expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
    });
    await Promise.all(refused);
  } finally {
    taken.close();
  }
});

test('keeps weights where it is told to', async () => {
  const cache = path.join(folder, 'a', 'b');
  const port = await freePort();
  const { child, ran } = start(['rpc-server', '--port', `${port}`, '--cache', cache]);
  await shows(child, 'serving', 'stderr');
  expect([existsSync(cache), readdirSync(cache)]).toEqual([true, []]);
  child.kill('SIGTERM');
  expect(await ran).toMatchObject({ code: 0 });
});
