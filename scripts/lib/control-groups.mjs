// Where Linux keeps what limits this process. Here and not in lib/, because the build, which comes before lib/ is compiled, wants to know
// as well.
import path from 'node:path';

/** Throws if there is no such file. @typedef {(file: string) => string} Read */

/** Where control groups are mounted if the system does not say. Version 1 has a tree for each controller, version 2 one for all. */
const usual = { 1: (/** @type {string} */ controller) => `/sys/fs/cgroup/${controller}`, 2: () => '/sys/fs/cgroup' };

/**
 * The folders of this process's control group and of all those around it that can be seen, from the inside out, for each version that is in
 * use. A limit of any of them counts.
 *
 * @param {string} controller such as "cpu" or "memory"
 * @param {Read} read
 * @returns {{ version: 1 | 2, folder: string }[]}
 */
export function controlGroups(controller, read) {
  const own = textOf(read, '/proc/self/cgroup') ?? '';
  const mounts = textOf(read, '/proc/self/mountinfo') ?? '';
  const all = /** @type {const} */ ([2, 1]).map((version) => {
    const path1 = new RegExp(`^\\d+:(?:[^:]*,)?${controller}(?:,[^:]*)?:(.*)$`, 'm').exec(own)?.[1];
    const group = (version === 2 ? /^0::(.*)$/m.exec(own)?.[1] : path1) ?? '/';
    return mountsOf(mounts, version, controller).flatMap((mount) => upwards(mount, group).map((folder) => ({ version, folder })));
  });
  return all.flat();
}

/** A file's text, or undefined if it cannot be read. @param {Read} read @param {string} file */
export function textOf(read, file) {
  try {
    return read(file);
  } catch {
    return undefined;
  }
}

/**
 * @param {string} mountinfo see proc(5)
 * @param {1 | 2} version
 * @param {string} controller
 * @returns {{ point: string, root: string }[]} `root`: the group that is seen at the mount point
 */
function mountsOf(mountinfo, version, controller) {
  const found = mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '/', point = ''] = before.split(' ');
    const [type, , options = ''] = after.split(' ');
    const is = version === 2 ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes(controller);
    return is ? [{ point: unescaped(point), root: unescaped(root) }] : [];
  });
  return found.length > 0 ? found : [{ point: usual[version](controller), root: '/' }];
}

/** Spaces and the like are written as octal numbers there. @param {string} text */
const unescaped = (text) => text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)));

/** @param {{ point: string, root: string }} mount @param {string} group */
function upwards({ point, root }, group) {
  // A container sees its own group at the mount point, and reads here either its whole path outside or none of it.
  const inside = root === '/' ? group : group === root || group.startsWith(`${root}/`) ? group.slice(root.length) : '/';
  // `/../x` is a group beside this process's root, which cannot be seen.
  const names = inside.split('/').filter(Boolean);
  const visible = names.includes('..') ? [] : names;
  return Array.from({ length: visible.length + 1 }, (_, out) => path.posix.join(point, ...visible.slice(0, visible.length - out)));
}
