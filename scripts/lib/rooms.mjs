import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * A row of the table in cmake/rooms.cmake (the addon's stands in cmake/addon.cmake).
 * @typedef {{ name: string, uses: string[] }} Room
 */
/**
 * An include of one of our files by another, both as in `#include "lanes/costs.h"`.
 * @typedef {{ from: string, to: string, line: number }} Include
 */

/** The rooms, from the ground up. @param {string} text of the CMake files */
export function readTable(text) {
  /** @type {Room[]} */
  const rooms = [];
  for (const [, words = ''] of text.matchAll(/^nudging_room\(([^)]*)\)/gm)) {
    const [name = '', ...rest] = words.split(/\s+/);
    // The next keyword ends the list.
    const from = rest.indexOf('USES') + 1;
    const end = rest.findIndex((word, at) => at >= from && /^[A-Z_]+$/.test(word));
    rooms.push({ name, uses: from === 0 ? [] : rest.slice(from, end < 0 ? undefined : end) });
  }
  return rooms;
}

/** What each room may use according to native/README.md, in its order. @param {string} text */
export function readPlan(text) {
  const rows = [...text.matchAll(/^\| \[([a-z]+)\]\([^)]*\) \|.*\|([^|]*)\|$/gm)];
  return rows.map(([, name = '', uses = '']) => ({ name, uses: uses.match(/[a-z]+/g) ?? [] }));
}

/** All includes of our files in a folder like native/. @param {string} native @returns {Include[]} */
export function readIncludes(native) {
  const files = readdirSync(native, { recursive: true, encoding: 'utf8' }).map((file) => file.split(path.sep).join('/'));
  const code = files.filter((file) => /\.(h|cpp)$/.test(file)).sort();
  return code.flatMap((from) => {
    const lines = readFileSync(path.join(native, from), 'utf8').split('\n');
    return lines.flatMap((text, index) => {
      const to = /^\s*#\s*include\s*["<]([^">]+)[">]/.exec(text)?.[1] ?? '';
      return existsSync(path.join(native, to)) && to.endsWith('.h') ? [{ from, to, line: index + 1 }] : [];
    });
  });
}

const roomOf = (/** @type {string} */ file) => file.split('/')[0] ?? '';
/** A header and the source of the same name are one. */
const unitOf = (/** @type {string} */ file) => file.replace(/\.(h|cpp)$/, '');

/** Which rooms each room includes files of, and how often. @param {Include[]} includes */
export function usesByRoom(includes) {
  /** @type {Map<string, Map<string, number>>} */
  const uses = new Map();
  for (const { from, to } of includes) {
    if (roomOf(from) === roomOf(to)) continue;
    const its = uses.get(roomOf(from)) ?? new Map();
    uses.set(roomOf(from), its.set(roomOf(to), (its.get(roomOf(to)) ?? 0) + 1));
  }
  return uses;
}

/** A way from a file back to itself, if there is one. @param {Include[]} includes */
export function findCircle(includes) {
  /** @type {Map<string, Set<string>>} */
  const next = new Map();
  for (const { from, to } of includes) {
    if (unitOf(from) !== unitOf(to)) next.set(unitOf(from), (next.get(unitOf(from)) ?? new Set()).add(unitOf(to)));
  }
  /** @type {Set<string>} */
  const done = new Set();
  /** @type {(unit: string, way: string[]) => string[] | undefined} */
  const walk = (unit, way) => {
    if (way.includes(unit)) return [...way.slice(way.indexOf(unit)), unit];
    if (done.has(unit)) return undefined;
    for (const each of next.get(unit) ?? []) {
      const circle = walk(each, [...way, unit]);
      if (circle) return circle;
    }
    done.add(unit);
    return undefined;
  };
  for (const unit of next.keys()) {
    const circle = walk(unit, []);
    if (circle) return circle;
  }
  return undefined;
}

/**
 * What is wrong with the rooms, one sentence each.
 * @param {{ rooms: Room[], includes: Include[] }} code
 */
export function findFaults({ rooms, includes }) {
  const height = new Map(rooms.map(({ name }, index) => [name, index]));
  /** @type {string[]} */
  const faults = [];
  for (const [index, { name, uses }] of rooms.entries()) {
    for (const used of uses) {
      if ((height.get(used) ?? Infinity) < index) continue;
      faults.push(`cmake/rooms.cmake: ${name} uses ${used}, which does not stand above it there`);
    }
  }
  const allowed = new Map(rooms.map(({ name, uses }) => [name, new Set(uses)]));
  for (const { from, to, line } of includes) {
    const [room, used] = [roomOf(from), roomOf(to)];
    if (room === used || allowed.get(room)?.has(used)) continue;
    const upward = (height.get(used) ?? Infinity) > (height.get(room) ?? Infinity);
    faults.push(`native/${from}:${line}: ${to}: ${room} ${upward ? `lies below ${used} and ` : ''}may not use ${used}`);
  }
  const real = usesByRoom(includes);
  for (const { name, uses } of rooms) {
    const idle = uses.filter((used) => !real.get(name)?.has(used));
    if (idle.length > 0) faults.push(`cmake/rooms.cmake: ${name} has no include of ${idle.join(' or ')}: take it from the table`);
  }
  const circle = findCircle(includes);
  if (circle) faults.push(`files include each other in a circle: ${circle.join(' → ')}`);
  return faults;
}

/**
 * Where the folders, their README.md files and the table in native/README.md say something else than the table of the build.
 * @param {string} native
 * @param {Room[]} rooms
 */
export function findUndescribed(native, rooms) {
  /** @type {string[]} */
  const faults = [];
  const folders = readdirSync(native, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  for (const name of folders) {
    if (!rooms.some((room) => room.name === name)) faults.push(`native/${name} is no room of cmake/rooms.cmake`);
    if (!existsSync(path.join(native, name, 'README.md'))) faults.push(`native/${name} has no README.md that says what it is for`);
  }
  const plan = readPlan(readFileSync(path.join(native, 'README.md'), 'utf8'));
  const spelled = (/** @type {Room[]} */ table) => table.map(({ name, uses }) => `${name}: ${[...uses].sort().join(' ')}`);
  const [told, real] = [spelled(plan), spelled([...rooms].reverse())];
  for (const row of real) if (!told.includes(row)) faults.push(`native/README.md does not say "${row}"`);
  for (const row of told) if (!real.includes(row)) faults.push(`native/README.md says "${row}", and cmake/rooms.cmake does not`);
  if (faults.length === 0 && told.join() !== real.join()) {
    faults.push('native/README.md has the rooms in another order than cmake/rooms.cmake, from the top down');
  }
  return faults;
}
