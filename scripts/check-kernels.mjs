// node check-kernels.mjs ADDON [BUFFER…]: tries the kernels of an addon but for those in the named buffers, and may crash doing so.
// lib/kernels.mjs reads what it prints: each kernel before it is tried, whether it was right, and a last line.
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';

const [, , file = '', ...without] = process.argv;
const addon = createRequire(import.meta.url)(file);
// At once, because this process may not live to do it later.
const tell = (/** @type {object} */ what) => writeSync(1, `${JSON.stringify(what)}\n`);

/** @type {{ buffer: string, type: string }[]} */
const kernels = addon.extraKernels?.() ?? [];
kernels.forEach(({ buffer, type }, index) => {
  if (without.includes(buffer)) return;
  tell({ buffer, type });
  // The second thread has a state of its own to set up.
  tell({ buffer, type, right: addon.givesKnownAnswer(index, 1) && addon.givesKnownAnswer(index, 2) });
});
tell({ done: true });
