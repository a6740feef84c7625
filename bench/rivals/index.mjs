import { isBuilt } from './binaries.mjs';
import { isInstalled } from './node-llama-cpp.mjs';

/**
 * @typedef {object} Setup what every rival is given
 * @property {any} pair          the pair's manifest with absolute paths
 * @property {string} [prompt]   raw, for both models; `{question}` stands for the question
 * @property {{ gamma: number, lookahead: number, maxTokens: number }} settings
 * @property {number} context
 * @property {{ base: number, aligned: number, forced: boolean }} threads
 *
 * @typedef {object} LaneCounts
 * @property {number} decodes
 * @property {number} decodedTokens
 * @property {number} [guessed]
 * @property {number} [guessesRight]
 *
 * @typedef {object} Outcome one answer
 * @property {string} text
 * @property {number} tokens
 * @property {number} ms
 * @property {number} firstMs    until the first text
 * @property {number} [bytes]    across the boundary, where known
 * @property {number} [rewinds]
 * @property {{ base: LaneCounts, aligned: LaneCounts }} lanes
 * @property {Record<string, number>} [times]
 *
 * @typedef {object} Rival
 * @property {string} name
 * @property {string} label
 * @property {string} module
 * @property {object} own
 * @property {boolean} nudges    its texts must be those of the other nudging rivals
 * @property {boolean} ours
 * @property {() => string | undefined} missing why it cannot run here
 */

const unbuilt = () => (isBuilt('llama-server') ? undefined : 'llama-server is not built: npm run bench:rivals');
const uninstalled = () => (isInstalled() ? undefined : 'node-llama-cpp is not installed: npm ci --prefix bench/peer');
const present = () => undefined;

/** @type {readonly Rival[]} */
export const rivals = [
  {
    name: 'base',
    label: 'base alone',
    module: './engine.mjs',
    own: { mode: 'base', stop: [] },
    nudges: false,
    ours: true,
    missing: present,
  },
  {
    name: 'aligned',
    label: 'aligned alone',
    module: './engine.mjs',
    own: { mode: 'aligned' },
    nudges: false,
    ours: true,
    missing: present,
  },
  {
    name: 'plain',
    label: 'nudging, plain',
    module: './engine.mjs',
    own: { speculation: false },
    nudges: true,
    ours: true,
    missing: present,
  },
  { name: 'speculative', label: 'nudging', module: './engine.mjs', own: {}, nudges: true, ours: true, missing: present },
  {
    name: 'http',
    label: 'naive over llama-server, 1 base token a call',
    module: './http.mjs',
    own: { baseTokens: 1 },
    nudges: true,
    ours: false,
    missing: unbuilt,
  },
  {
    name: 'http16',
    label: 'naive over llama-server, 16 base tokens a call',
    module: './http.mjs',
    own: { baseTokens: 16 },
    nudges: true,
    ours: false,
    missing: unbuilt,
  },
  {
    name: 'node-llama-cpp',
    label: 'naive over node-llama-cpp',
    module: './node-llama-cpp.mjs',
    own: {},
    nudges: true,
    ours: false,
    missing: uninstalled,
  },
];
