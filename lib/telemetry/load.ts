import { basename } from 'node:path';
import type { Nudging } from '../engine.ts';
import { isObserved, publish } from './channels.ts';
import type { LoadMessage, ObservedEngine } from './messages.ts';

let engines = 0;

/** Loads an engine with `load`, and publishes how it goes. */
export async function observedLoad(load: (engine: ObservedEngine) => Promise<Nudging>): Promise<Nudging> {
  engines += 1;
  const engine: ObservedEngine = { id: engines, model: '' };
  if (!isObserved('nudging:load:start', 'nudging:load:end', 'nudging:error')) return load(engine);

  const message: LoadMessage = { engine };
  const began = performance.now();
  publish('nudging:load:start', message);
  const end = (more: Partial<LoadMessage>) => publish('nudging:load:end', Object.assign(message, { ms: performance.now() - began }, more));
  try {
    const loaded = await load(engine);
    const { parallel, deterministic } = loaded;
    const models = Object.fromEntries(Object.entries(loaded.models).map(([lane, { path, ...model }]) => [lane, model]));
    end({ parallel, deterministic, models });
    return loaded;
  } catch (error) {
    end({ error });
    publish('nudging:error', { engine, during: 'load', error });
    throw error;
  }
}

/** A name for two models by their files: a path would tell of the machine, and be another one on the next. */
export function modelName({ base, aligned }: { base: string; aligned: string }): string {
  return [base, aligned].map((path) => basename(path).replace(/\.gguf$/i, '')).join('+');
}
