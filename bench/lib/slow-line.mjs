import { connect, createServer } from 'node:net';

/**
 * A line to a server that is far away: everything that comes back is late by a round trip, and a new connection takes one to be opened.
 * Stands in for `tc netem`, which not every kernel has.
 * @param {string} url of the server @param {number} roundTrip in milliseconds
 */
export async function slowLine(url, roundTrip) {
  const { hostname, port } = new URL(url);
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    // TCP's own round trip, before the first byte of a request.
    later(near, far, () => (opened ? 0 : roundTrip));
    later(far, near, () => roundTrip);
    let opened = false;
    // Whoever hangs up wants nothing more, and the server is to hear of it.
    near.on('close', () => setTimeout(() => far.destroy(), roundTrip / 2));
    near.once('data', () => setTimeout(() => (opened = true), roundTrip));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * Passes on what one end says, so many milliseconds later and in order.
 * @param {import('node:net').Socket} from @param {import('node:net').Socket} to @param {() => number} delay
 */
function later(from, to, delay) {
  /** @type {{ at: number, act: () => void }[]} */
  const queue = [];
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const flush = () => {
    timer = undefined;
    for (let next = queue[0]; next && next.at <= performance.now() + 0.25; next = queue[0]) {
      queue.shift();
      next.act();
    }
    const [next] = queue;
    if (next) timer = setTimeout(flush, Math.max(0, next.at - performance.now()));
  };
  /** @param {() => void} act */
  const add = (act) => {
    const least = queue.at(-1)?.at ?? 0;
    queue.push({ at: Math.max(least, performance.now() + delay()), act });
    if (!timer) flush();
  };
  from.on('data', (chunk) => add(() => void to.write(chunk)));
  from.on('end', () => add(() => void to.end()));
  from.on('error', () => to.destroy());
}
