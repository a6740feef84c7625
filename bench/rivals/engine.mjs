import { Nudging } from '../../dist/index.js';
import { segments } from './prompts.mjs';

/** @typedef {import('./index.mjs').Setup} Setup @typedef {import('./index.mjs').Outcome} Outcome */

/**
 * This package: one model alone, or nudging with or without speculation. One request at a time, as its rivals: with more places than
 * questions, each would find its answer of the round before, and nothing would be decoded.
 * @param {Setup} setup
 * @param {{ mode?: 'nudge' | 'base' | 'aligned', speculation?: boolean, stop?: string[] }} own
 */
export async function open({ pair, prompt, settings, context, threads }, own) {
  const { name, description, ...manifest } = pair;
  const engine = await Nudging.load({
    ...manifest,
    ...settings,
    context,
    parallel: 1,
    ...(threads.forced ? { threads: threads.base } : {}),
    ...own,
  });
  return {
    /** @param {string} question @returns {Promise<Outcome>} */
    async answer(question) {
      const start = performance.now();
      const stream = engine.stream(
        prompt === undefined ? question : { base: segments(prompt, question), aligned: segments(prompt, question) },
      );
      let firstMs;
      let bytes = Buffer.byteLength(question);
      for await (const piece of stream) {
        firstMs ??= performance.now() - start;
        bytes += Buffer.byteLength(piece.text);
      }
      const { text, stats } = await stream.answer;
      const ms = performance.now() - start;
      return {
        text,
        tokens: stats.tokens,
        ms,
        firstMs: firstMs ?? ms,
        bytes,
        rewinds: stats.rewinds,
        lanes: { base: stats.base, aligned: stats.aligned },
        times: stats.times,
      };
    },
    processes: () => [],
    close: () => engine.close(),
  };
}
