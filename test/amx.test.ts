import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findCompilers, findProgram } from '../scripts/lib/requirements.mjs';
import { ensureSource } from '../vendor/fetch.mjs';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'nudging-amx-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const compiler = findCompilers()?.cxx ?? '';

/** Two rows of A, two columns of B and four products, as the kernels in mmq.cpp use the eight tiles. */
const tiles = Buffer.alloc(64);
tiles[0] = 1;
[64, 64, 32, 32, 64, 64, 64, 64].forEach((bytes, tile) => tiles.writeUInt16LE(bytes, 16 + 2 * tile));
[8, 8, 16, 16, 16, 16, 16, 16].forEach((rows, tile) => tiles.writeUInt8(rows, 48 + tile));

/** What a compiler makes of the function that configures the tiles: an instruction a line, linked, so that addresses are final. */
function compile(text: string, optimisation: string) {
  const parts = [/^struct tile_config_t.*?^\};/ms, /^inline void ggml_tile_config_init\(void\).*?^\}/ms];
  const wanted = parts.map((part) => part.exec(text)?.[0]);
  expect(wanted).not.toContain(undefined);
  const source = path.join(scratch, 'tiles.cpp');
  const program = path.join(scratch, `tiles${optimisation}`);
  const lines = ['#include <cstdint>', '#include <immintrin.h>', ...wanted, 'int main() { ggml_tile_config_init(); }', ''];
  writeFileSync(source, lines.join('\n'));
  const flags = ['-std=c++17', '-march=sapphirerapids', '-fPIC', '-DNDEBUG', optimisation];
  execFileSync(compiler, [...flags, source, '-o', program], { stdio: 'pipe' });
  return { program, code: execFileSync('objdump', ['-d', '--no-show-raw-insn', program], { encoding: 'utf8' }).split('\n') };
}

/** The 64 bytes that `ldtilecfg` is given, or how it is given others than a constant. */
function configuration({ program, code }: ReturnType<typeof compile>) {
  const at = code.findIndex((line) => line.includes('ldtilecfg'));
  const [, operand = ''] = /ldtilecfg +(.*)/.exec(code[at] ?? '') ?? [];
  const register = /^\((%\w+)\)$/.exec(operand)?.[1];
  // Optimised code loads the address of a constant just before, or has it in the instruction itself.
  const sets = (line: string) => line.endsWith(`,${register}`) || line.includes(`,${register} `);
  const source = register === undefined ? operand : (code.slice(0, at).findLast(sets) ?? '');
  const [, address] = /\(%rip\)(?:,%\w+)? +# ([0-9a-f]+) </.exec(source) ?? [];
  if (address === undefined) return `not a constant: ${source.trim() || operand}`;
  const from = Number.parseInt(address, 16);
  const dump = execFileSync('objdump', ['-s', `--start-address=${from}`, `--stop-address=${from + 64}`, program], { encoding: 'utf8' });
  // Lines of 16 bytes, in groups of 4: ` 2040 01000000 00000000 00000000 00000000  ................`
  return [...dump.matchAll(/^ [0-9a-f]+ ((?:[0-9a-f]+ ){1,4})/gm)].map(([, bytes = '']) => bytes.replaceAll(' ', '')).join('');
}

const canCompile = process.platform === 'linux' && process.arch === 'x64' && findProgram('objdump') !== undefined;
describe.skipIf(!canCompile)('AMX tiles, as compiled on any x86-64 Linux (needs objdump)', () => {
  // As sanitizer builds are optimised, as most distributions do, and as our release is. Without optimisation no store is lost.
  it.each(['-O1', '-O2', '-O3'])('are configured from 64 bytes that are all there, with %s', async (optimisation) => {
    // The mutation tests name a copy in which the patch is undone.
    const llama = process.env['NUDGING_TEST_LLAMA_CPP'] ?? (await ensureSource({ thorough: false, log: () => {} }));
    const text = readFileSync(path.join(llama, 'ggml/src/ggml-cpu/amx/mmq.cpp'), 'utf8');
    expect(configuration(compile(text, optimisation))).toBe(tiles.toString('hex'));
  });
});
