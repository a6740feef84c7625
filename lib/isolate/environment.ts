import { childMark } from '../../scripts/lib/own-runtime.mjs';

/** Options of NODE_OPTIONS that open a debugger's port, and those of them whose value may be the next word. */
const opensDebugger = /^--(?:inspect|debug)(?:-[a-z-]+)?(?:=|$)/;
const takesValue = /^--(?:inspect-port|debug-port|inspect-publish-uid)$/;

/**
 * The environment of an engine's process: the parent's, with three changes. A debugger's port belongs to the parent alone, and a second
 * process that asks for it would stop or fail. llama.cpp must not start a debugger on itself when one of its checks fails: that takes long,
 * and buries the message. And a mark stops an application that is started in place of the engine from starting itself again and again.
 */
export function environment(parent: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: nodeOptions, ...inherited } = parent;
  const ours = { GGML_NO_BACKTRACE: '1', [childMark]: 'engine' };
  return { ...inherited, ...(nodeOptions === undefined ? {} : { NODE_OPTIONS: withoutDebugger(nodeOptions) }), ...ours };
}

function withoutDebugger(nodeOptions: string): string {
  // Node splits them at spaces that are not in double quotes.
  const words = nodeOptions.match(/(?:[^\s"]|"(?:\\.|[^"\\])*")+/g) ?? [];
  return words.filter((word, at) => !opensDebugger.test(word) && !takesValue.test(words[at - 1] ?? '')).join(' ');
}
