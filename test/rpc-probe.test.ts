import { describe, expect, test } from 'vitest';
import { Nudging, type LoadOptions } from '../lib/index.ts';
import { describeEnding } from '../lib/isolate/ending.ts';
import { loadNative } from '../lib/native.ts';
import { probe, probeAll } from '../lib/rpc/probe.ts';
import { children, gone, newestChild } from './support/children.ts';
import { nudging } from './support/cli.ts';
import { freePort, greetingOf, withPeer } from './support/rpc-peers.ts';

const ours = [7, 0, 0] as const;
const question = 'What is a harbor?';

describe('what a server is asked before llama.cpp connects', () => {
  test("is llama.cpp's greeting, and the same version passes", async () => {
    const greetings: Buffer[] = [];
    await withPeer(
      (socket) =>
        socket.on('data', (chunk) => {
          greetings.push(chunk);
          // In two parts: an answer may come in any.
          const answer = greetingOf(...ours);
          socket.write(answer.subarray(0, 10));
          setTimeout(() => socket.write(answer.subarray(10)), 20);
        }),
      (server) => probe(server, ours),
    );
    expect(Buffer.concat(greetings).toString('hex')).toBe(`0e1800000000000000${'00'.repeat(24)}`);
  });

  test.each([
    [[8, 0, 0], '8.0.0'],
    [[7, 1, 0], '7.1.0'],
    // Operations have other numbers then.
    [[7, 0, 1], '7.0.1'],
    [[6, 0, 0], '6.0.0'],
  ])('another version, %j, is refused', async (version, shown) => {
    await withPeer(
      (socket) => socket.write(greetingOf(...version)),
      (server) =>
        expect(probe(server, ours)).rejects.toMatchObject({
          code: 'ERR_RPC_VERSION',
          option: 'rpcServers',
          value: server,
          message:
            `the RPC server ${server} speaks version ${shown} of the protocol: this build speaks 7.0.0: ` +
            'run `nudging rpc-server` of the same version there',
        }),
    );
  });

  test('nobody there', async () => {
    const server = `127.0.0.1:${await freePort()}`;
    await expect(probe(server, ours)).rejects.toMatchObject({
      code: 'ERR_RPC_UNREACHABLE',
      value: server,
      message: expect.stringMatching(new RegExp(`${server} refused the connection: start \`nudging rpc-server\` there`)),
    });
    await expect(probe('no-such-host.invalid:1', ours)).rejects.toMatchObject({
      code: 'ERR_RPC_UNREACHABLE',
      message: expect.stringMatching(/^the RPC server no-such-host\.invalid:1 (has a name|could not)/),
    });
  });

  test('somebody who says nothing, as a server does that serves another engine', () =>
    withPeer(
      (socket) => socket.resume(),
      async (server, open) => {
        const began = performance.now();
        await expect(probe(server, ours, 150)).rejects.toMatchObject({
          code: 'ERR_RPC_UNREACHABLE',
          message: expect.stringMatching(/accepted a connection and said nothing for 150 ms: .* one engine at a time/),
        });
        expect(performance.now() - began).toBeLessThan(1000);
        // The connection is given back: the server would serve it next.
        await expect.poll(() => open.size).toBe(0);
      },
    ));

  test.each([
    ['another protocol', 'HTTP/1.1 400 Bad Request\r\n\r\n', /does not answer as an RPC server/],
    ['the answer of an older server', Buffer.from('030000000000000006000a', 'hex'), /does not answer as an RPC server/],
  ])('%s', async (_, bytes, message) => {
    await withPeer(
      (socket) => socket.write(bytes),
      (server) => expect(probe(server, ours)).rejects.toMatchObject({ code: 'ERR_RPC_VERSION', message: expect.stringMatching(message) }),
    );
  });

  test.each(['end', 'resetAndDestroy'] as const)('somebody who closes the connection (%s)', async (how) => {
    await withPeer(
      (socket) => socket.once('data', () => socket[how]()),
      (server) =>
        expect(probe(server, ours)).rejects.toMatchObject({
          code: 'ERR_RPC_VERSION',
          message: expect.stringContaining('closed the connection instead of answering'),
        }),
    );
  });

  test('several are asked together, and the first that is wrong ends the asking', () =>
    withPeer(
      () => {},
      (silent) =>
        withPeer(
          (socket) => socket.write(greetingOf(1, 2, 3)),
          async (wrong) => {
            const began = performance.now();
            await expect(probeAll([silent, wrong], ours, 60_000)).rejects.toMatchObject({ code: 'ERR_RPC_VERSION', value: wrong });
            expect(performance.now() - began).toBeLessThan(2000);
          },
        ),
    ));

  test('the addon says which version this build speaks', () => {
    expect(loadNative().rpcProtocol).toEqual(ours);
  });
});

describe('rpcServers', () => {
  const refused = (options: LoadOptions) => Nudging.load(options).catch((error: unknown) => error);

  test.each([
    [[], /array of 1 to 16 servers/],
    ['10.0.0.2:50052', /array of 1 to 16 servers/],
    [Array.from({ length: 17 }, (_, at) => `a:${at + 1}`), /at most 16 servers, which is llama\.cpp's limit/],
    [['10.0.0.2'], /a port from 1 to 65535/],
    [['10.0.0.2:50052abc'], /a port from 1 to 65535/],
    [['[::1]:50052'], /IPv4 address/],
    [['a:1', 'b:2', 'A:1'], /names each server once \("A:1" is there twice\)/],
  ])('%j never reaches llama.cpp', async (rpcServers, message) => {
    const before = children.length;
    expect(await refused({ rpcServers: rpcServers as string[] })).toMatchObject({
      code: 'ERR_INVALID_OPTION',
      option: 'rpcServers',
      message: expect.stringMatching(message),
    });
    expect(children.length).toBe(before);
  });

  test('are used by a process of their own only', async () => {
    expect(await refused({ rpcServers: ['a:1'], isolate: false })).toMatchObject({
      code: 'ERR_INVALID_OPTION',
      option: 'isolate',
      value: false,
      message: expect.stringContaining('true or left out with `rpcServers`'),
    });
  });

  test('fail to load as the probe says, and leave no process behind', async () => {
    const server = `127.0.0.1:${await freePort()}`;
    expect(await refused({ rpcServers: [server] })).toMatchObject({
      code: 'ERR_RPC_UNREACHABLE',
      message: expect.stringContaining(`${server} refused the connection`),
      stack: expect.stringContaining('rpc-probe.test.ts'),
    });
    await gone(newestChild().pid);
    await withPeer(
      (socket) => socket.write(greetingOf(9, 9, 9)),
      async (wrong) => expect(await refused({ rpcServers: [wrong] })).toMatchObject({ code: 'ERR_RPC_VERSION' }),
    );
  });

  test('are a flag, whose errors speak of flags', async () => {
    const port = await freePort();
    expect(await nudging(['--rpc-servers', `127.0.0.1:${port}`, question])).toMatchObject({
      stdout: '',
      code: 1,
      stderr: expect.stringMatching(/^nudging: the RPC server 127\.0\.0\.1:\d+ refused the connection: start/),
    });
    expect(await nudging(['--rpc-servers', 'a:1, b', question])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^nudging: --rpc-servers cannot be "a:1, b": it must be an array of servers as "host:port"/),
    });
  });
});

test('what a process writes that has lost a server is told in our words', () => {
  const written = 'noise; /x/ggml-rpc.cpp:566: RPC server gpu-1.lan:50052 has been silent for 500 ms; aborted';
  expect(describeEnding(null, 'SIGABRT', written)).toBe(
    "the engine's process has lost the RPC server gpu-1.lan:50052 and ended: it has been silent for 500 ms. " +
      'Look whether it runs and can be reached; a pass that takes longer needs a higher `rpcTimeout`',
  );
});
