import { request } from 'node:http';

/** @typedef {'answered' | 'left' | 'refused'} Outcome */

const questions = [
  'What is a harbor?',
  'What is a blur?',
  'What is a bridge?',
  'What is a candle?',
  'What are the last letters of "Ada Bell"?',
];

/**
 * One chat, read as a stream to its end, or left after `leaveAfter` milliseconds.
 *
 * @param {string} url
 * @param {{ random: () => number, leaveAfter: number | undefined }} how
 * @returns {Promise<Outcome>} rejects where the server does not keep to its protocol
 */
export function chat(url, { random, leaveAfter }) {
  const body = JSON.stringify({
    messages: [{ role: 'user', content: questions[Math.floor(random() * questions.length)] }],
    max_tokens: 8 + Math.floor(random() * 60),
    stream: random() < 0.8,
    stream_options: undefined,
  });
  const { stream } = JSON.parse(body);
  return new Promise((resolve, reject) => {
    let left = false;
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const asked = request(`${url}/v1/chat/completions`, { method: 'POST', headers, agent: false }, (response) => {
      const chunks = /** @type {Buffer[]} */ ([]);
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', (error) => (left ? resolve('left') : reject(error)));
      response.on('end', () => {
        clearTimeout(timer);
        const text = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode === 429) {
          return Number(response.headers['retry-after']) >= 1 ? resolve('refused') : reject(new Error('429 without Retry-After'));
        }
        if (response.statusCode !== 200) return reject(new Error(`status ${response.statusCode}: ${text.slice(0, 200)}`));
        if (stream && !text.endsWith('data: [DONE]\n\n'))
          return reject(new Error(`a stream ended with ${JSON.stringify(text.slice(-80))}`));
        if (stream && text.includes('"error"')) return reject(new Error(`a stream failed: ${text.slice(-300)}`));
        if (!stream && typeof JSON.parse(text).usage.completion_tokens !== 'number') return reject(new Error('an answer without usage'));
        resolve('answered');
      });
    });
    const timer =
      leaveAfter === undefined
        ? undefined
        : setTimeout(() => {
            left = true;
            asked.destroy();
            resolve('left');
          }, leaveAfter);
    asked.on('error', (error) => (left ? resolve('left') : reject(error)));
    asked.end(body);
  });
}
