// A link with a latency, where the kernel has no netem: passes what comes on after so many milliseconds, in each direction.
//   node relay.mjs LISTEN-PORT HOST:PORT MS
import { connect, createServer } from 'node:net';

const [port, target = '', delay] = process.argv.slice(2);
const [host = '', targetPort] = target.split(':');

createServer((near) => {
  const far = connect({ host, port: Number(targetPort), noDelay: true });
  near.setNoDelay(true);
  pass(near, far);
  pass(far, near);
}).listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));

/**
 * In order: timers of the same length come in the order in which they were set.
 * @param {import('node:net').Socket} from
 * @param {import('node:net').Socket} to
 */
function pass(from, to) {
  const later = (/** @type {() => void} */ action) => void setTimeout(action, Number(delay));
  from.on('data', (chunk) => later(() => to.write(chunk)));
  from.on('end', () => later(() => to.end()));
  from.on('error', () => to.destroy());
  from.on('close', () => later(() => to.destroy()));
}
