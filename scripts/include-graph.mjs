#!/usr/bin/env node
// `npm run lint:rooms`: prints which room of native/ includes how many headers of which other, and fails where one includes what it
// may not (cmake/rooms.cmake).
import { readFileSync } from 'node:fs';
import { runMain } from './lib/errors.mjs';
import { inRoot } from './lib/paths.mjs';
import { findFaults, findUndescribed, readIncludes, readTable, usesByRoom } from './lib/rooms.mjs';

await runMain(async () => {
  const rooms = readTable(['rooms', 'addon'].map((name) => readFileSync(inRoot(`cmake/${name}.cmake`), 'utf8')).join('\n'));
  const includes = readIncludes(inRoot('native'));
  const uses = usesByRoom(includes);
  for (const { name } of [...rooms].reverse()) {
    const its = [...(uses.get(name) ?? [])].sort(([, a], [, b]) => b - a).map(([used, count]) => `${used} ${count}`);
    console.log(`${name.padEnd(9)} → ${its.join(', ') || 'nothing'}`);
  }
  const faults = [...findFaults({ rooms, includes }), ...findUndescribed(inRoot('native'), rooms)];
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
});
