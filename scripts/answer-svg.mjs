#!/usr/bin/env node
// Draws what happened to one answer: `node scripts/answer-svg.mjs > docs/answer.svg`. It is the picture of `nudging explain --svg`, with a
// heading for the README.
import { explanationSvg, Nudging } from '../dist/index.js';

const question = process.argv[2] ?? 'Take the last letters of "Edith" and "Liam" and concatenate them.';
const nudging = await Nudging.load();
const answer = await nudging.generate(question, { trace: 'full' });
await nudging.close();

process.stdout.write(
  explanationSvg(answer.explain(), {
    heading: [
      `$ npx nudging '${question}'`,
      'boxed: the aligned model (1.1 M parameters); plain: the base (4.3 M), and below how sure it was',
    ],
  }),
);
