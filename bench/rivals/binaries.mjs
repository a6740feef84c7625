import { existsSync } from 'node:fs';
import path from 'node:path';
import { inRoot } from '../../scripts/lib/paths.mjs';

/** NUDGING_RIVALS names a build tree of another llama.cpp. */
export const tree = process.env['NUDGING_RIVALS'] ?? inRoot('.native/rivals');

/** llama.cpp's own programs, as build.mjs makes them. @param {'llama-server' | 'llama-bench' | 'llama-batched-bench'} name */
export const binary = (name) => path.join(tree, 'bin', process.platform === 'win32' ? `${name}.exe` : name);

/** @param {'llama-server' | 'llama-bench' | 'llama-batched-bench'} name */
export const isBuilt = (name) => existsSync(binary(name));
