// The engine in a worker thread, for a program whose own thread is busy: here it counts primes meanwhile. An engine never blocks the thread
// that loaded it, but its pieces arrive only when that thread has time. Run it: node examples/07-worker.mjs
import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { Nudging } from 'nudging';

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  worker.postMessage('What is a harbor?');
  let primes = 0;
  for (let number = 2; number < 60_000; number++) if (isPrime(number)) primes++;
  console.log(`${primes} primes`);
  const [{ answer, ms }] = await once(worker, 'message');
  console.log(`meanwhile, in ${Math.round(ms)} ms: ${answer}`);
  worker.postMessage('close');
  const [code] = await once(worker, 'exit');
  console.log(`the worker ended with ${code}`);
} else {
  const nudging = await Nudging.load();
  parentPort?.on('message', async (/** @type {string} */ message) => {
    if (message === 'close') {
      // Both models' memory is free before the thread ends.
      await nudging.close();
      return void parentPort?.close();
    }
    const { text, stats } = await nudging.generate(message);
    parentPort?.postMessage({ answer: text, ms: stats.times.total });
  });
}

/** @param {number} number */
function isPrime(number) {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return true;
}
