// `@nudging/demo`: the demonstration pair.
import { cpSync } from 'node:fs';
import { inRoot } from '../paths.mjs';
import { common, stage, writeManifest } from './staging.mjs';

/** @param {string} folder where packages are put together */
export function stageDemo(folder) {
  const place = stage(folder, '@nudging/demo');
  cpSync(inRoot('models/demo'), place, { recursive: true });
  writeManifest(place, {
    name: '@nudging/demo',
    description: 'The demonstration pair of nudging: a small base model and a smaller aligned one',
    ...common,
    // llama.cpp opens files, and none in Yarn's archives.
    preferUnplugged: true,
  });
  return place;
}
