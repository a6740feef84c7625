// `@nudging/demo`: the embedded pairs, a folder each.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot } from '../paths.mjs';
import { common, stage, writeManifest } from './staging.mjs';

/** @param {string} folder where packages are put together */
export function stageDemo(folder) {
  const place = stage(folder, '@nudging/demo');
  for (const pair of ['demo', 'harbor']) cpSync(inRoot('models', pair), join(place, pair), { recursive: true });
  writeManifest(place, {
    name: '@nudging/demo',
    description: 'The embedded pairs of nudging, each a small base model and a smaller aligned one',
    ...common,
    // llama.cpp opens files, and none in Yarn's archives.
    preferUnplugged: true,
  });
  return place;
}
