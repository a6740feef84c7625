import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inRoot } from '../scripts/lib/paths.mjs';
import { findCircle, findFaults, findUndescribed, readIncludes, readTable } from '../scripts/lib/rooms.mjs';

let native: string;
const write = (file: string, text: string) => {
  mkdirSync(path.dirname(path.join(native, file)), { recursive: true });
  writeFileSync(path.join(native, file), text);
};
const read = (file: string) => readFileSync(path.join(native, file), 'utf8');
beforeEach(() => {
  native = mkdtempSync(path.join(tmpdir(), 'nudging-rooms-'));
});
afterEach(() => rmSync(native, { recursive: true, force: true }));

const table = readTable(
  'nudging_room(ground)\nnudging_room(middle USES ground LIBRARIES llama)\nnudging_room(top\n  TARGET addon USES ground middle)\n',
);
const faults = () => findFaults({ rooms: table, includes: readIncludes(native) });

describe('the table of rooms', () => {
  it('is read with what each room may use, and nothing of its libraries', () => {
    expect(table).toEqual([
      { name: 'ground', uses: [] },
      { name: 'middle', uses: ['ground'] },
      { name: 'top', uses: ['ground', 'middle'] },
    ]);
  });

  it('is as it is in the build, and every include keeps to it', () => {
    expect(execFileSync(process.execPath, [inRoot('scripts/include-graph.mjs')], { encoding: 'utf8' })).toMatch(/^lanes +→ .*models \d/m);
  });
});

describe('an include', () => {
  beforeEach(() => {
    write('ground/a.h', '#include <vector>\n#include "elsewhere.h"\n');
    write('middle/b.h', '#include "ground/a.h"\n');
    write('top/c.h', '#include "ground/a.h"\n');
    write('top/c.cpp', '#include "top/c.h"\n#include "middle/b.h"\n');
  });

  it('downwards is what a room is for', () => expect(faults()).toEqual([]));

  it.each([
    [
      'upwards',
      'ground/a.cpp',
      '#include "ground/a.h"\n  #  include "middle/b.h"\n',
      'native/ground/a.cpp:2: middle/b.h: ground lies below middle and may not use middle',
    ],
    [
      'upwards with the other brackets',
      'ground/a.cpp',
      '#include <middle/b.h>\n',
      'native/ground/a.cpp:1: middle/b.h: ground lies below middle and may not use middle',
    ],
    ['in a folder that is no room', 'attic/d.h', '#include "ground/a.h"\n', 'native/attic/d.h:1: ground/a.h: attic may not use ground'],
  ])('%s is noticed', (_, file, text, fault) => {
    write(file, text);
    expect(faults()).toEqual(expect.arrayContaining([fault]));
  });

  it('is noticed where it goes down to a room that is not among those that may be used', () => {
    write('top/c.cpp', '#include "top/c.h"\n');
    const narrow = [...table.slice(0, 2), { name: 'top', uses: [] }];
    expect(findFaults({ rooms: narrow, includes: readIncludes(native) })).toEqual(['native/top/c.h:1: ground/a.h: top may not use ground']);
  });

  it('that is missing makes the table say too much', () => {
    write('top/c.cpp', '#include "top/c.h"\n');
    expect(faults()).toEqual(['cmake/rooms.cmake: top has no include of middle: take it from the table']);
  });

  it('in a circle is noticed, also where a source closes it', () => {
    write('top/d.h', '#include "top/c.h"\n');
    write('top/c.cpp', '#include "top/c.h"\n#include "middle/b.h"\n#include "top/d.h"\n');
    expect(findCircle(readIncludes(native))).toEqual(['top/c', 'top/d', 'top/c']);
    expect(faults()).toEqual(['files include each other in a circle: top/c → top/d → top/c']);
  });

  it('of a room that stands higher in the table makes the table wrong', () => {
    const turned = [{ name: 'ground', uses: ['middle'] }, ...table.slice(1)];
    expect(findFaults({ rooms: turned, includes: readIncludes(native) })).toContain(
      'cmake/rooms.cmake: ground uses middle, which does not stand above it there',
    );
  });
});

describe('what native/README.md says', () => {
  const rooms = readTable(['rooms', 'addon'].map((name) => readFileSync(inRoot(`cmake/${name}.cmake`), 'utf8')).join('\n'));
  beforeEach(() => cpSync(inRoot('native'), native, { recursive: true }));

  it('is what the build has', () => expect(findUndescribed(native, rooms)).toEqual([]));

  it('is compared room by room', () => {
    write('README.md', read('README.md').replace('| from logits to a token | nudge |', '| from logits to a token | nudge, text |'));
    expect(findUndescribed(native, rooms)).toEqual([
      'native/README.md does not say "choice: nudge"',
      'native/README.md says "choice: nudge text", and cmake/rooms.cmake does not',
    ]);
  });

  it('names every folder, and each says what it is for', () => {
    write('attic/d.h', '');
    rmSync(path.join(native, 'text/README.md'));
    expect(findUndescribed(native, rooms).sort()).toEqual([
      'native/attic has no README.md that says what it is for',
      'native/attic is no room of cmake/rooms.cmake',
      'native/text has no README.md that says what it is for',
    ]);
  });

  it('is in the order of the build', () => {
    const rows = read('README.md').split('\n');
    const rowOf = (name: string) => rows.find((row) => row.startsWith(`| [${name}]`)) ?? '';
    const [text, trust] = [rowOf('text'), rowOf('trust')];
    write('README.md', rows.map((row) => (row === text ? trust : row === trust ? text : row)).join('\n'));
    expect(findUndescribed(native, rooms)).toEqual([
      'native/README.md has the rooms in another order than cmake/rooms.cmake, from the top down',
    ]);
  });
});
