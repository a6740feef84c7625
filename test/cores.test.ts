import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';
import { availableCores } from '../scripts/lib/cores.mjs';

/** What a process sees that is bound to 64 cores, in a system with these files. */
const cores = (files: Record<string, string>, bound = 64, platform = 'linux') =>
  availableCores({
    platform,
    bound,
    read: (file) => {
      const text = files[file];
      if (text === undefined) throw new Error(`no ${file}`);
      return text;
    },
  });
const limit1 = (folder: string, quota: number) => ({
  [`${folder}/cpu.cfs_quota_us`]: `${quota}\n`,
  [`${folder}/cpu.cfs_period_us`]: '100000\n',
});

describe('cores of a process', () => {
  test('are those it is bound to where nothing limits its time', () => {
    expect(cores({})).toBe(64);
    expect(cores({ '/proc/self/cgroup': '0::/user.slice\n', '/sys/fs/cgroup/user.slice/cpu.max': 'max 100000\n' })).toBe(64);
    expect(cores({ '/proc/self/cgroup': '3:cpu,cpuacct:/\n', ...limit1('/sys/fs/cgroup/cpu', -1) })).toBe(64);
    expect(cores({ '/sys/fs/cgroup/cpu.max': '100000 100000\n' }, 64, 'darwin')).toBe(64);
  });

  test.each([
    ['100000 100000', 1],
    ['250000 100000', 2],
    ['50000 100000', 1],
    ['1000 100000', 1],
    ['40000 20000', 2],
    ['9900000 100000', 64],
    ['', 64],
    ['a wrong line', 64],
    ['0 0', 64],
  ])('with a quota of "%s" in version 2 are %i', (text, expected) => {
    expect(cores({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': `${text}\n` })).toBe(expected);
  });

  test('are limited by the smallest quota on the way to the root', () => {
    const own = { '/proc/self/cgroup': '0::/pods/pod/box\n' };
    const at = (folder: string, quota: string) => ({ [`/sys/fs/cgroup${folder}/cpu.max`]: `${quota} 100000\n` });
    expect(cores({ ...own, ...at('/pods/pod/box', 'max'), ...at('/pods/pod', '300000'), ...at('/pods', '800000') })).toBe(3);
    expect(cores({ ...own, ...at('/pods/pod/box', '500000'), ...at('/pods/pod', 'max'), ...at('', '200000') })).toBe(2);
    expect(cores({ ...own, ...at('/other', '100000') })).toBe(64);
  });

  test('are limited in version 1 as well, wherever its controllers are mounted', () => {
    const own = { '/proc/self/cgroup': '4:cpu,cpuacct:/docker/abc\n1:cpuset:/\n0::/\n' };
    expect(cores({ '/proc/self/cgroup': '1:cpu:/box\n', ...limit1('/sys/fs/cgroup/cpu/box', 150_000) })).toBe(1);
    // A container that sees its own group at the mount point, and reads the path that it has outside.
    const container =
      '33 31 0:30 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro,nosuid - cgroup cgroup rw,cpu,cpuacct\n' +
      '34 31 0:31 / /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\n';
    expect(cores({ ...own, '/proc/self/mountinfo': container, ...limit1('/sys/fs/cgroup/cpu,cpuacct', 200_000) })).toBe(2);
    // The machine itself.
    const machine = '33 31 0:30 / /my\\040groups rw - cgroup cgroup rw,cpu,cpuacct\n';
    const limits = { ...limit1('/my groups/docker/abc', 500_000), ...limit1('/my groups/docker', 300_000) };
    expect(cores({ ...own, '/proc/self/mountinfo': machine, ...limits })).toBe(3);
    // A controller's name that only contains the other's.
    expect(cores({ '/proc/self/cgroup': '4:cpuset:/a\n', ...limit1('/sys/fs/cgroup/cpu/a', 100_000) })).toBe(64);
  });

  test('heed both versions where both are mounted', () => {
    const files = {
      '/proc/self/cgroup': '1:cpu:/a\n0::/b\n',
      '/proc/self/mountinfo':
        '1 2 0:1 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n3 2 0:2 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n',
    };
    expect(cores({ ...files, ...limit1('/sys/fs/cgroup/cpu/a', 400_000), '/sys/fs/cgroup/unified/b/cpu.max': '300000 100000' })).toBe(3);
    expect(cores({ ...files, ...limit1('/sys/fs/cgroup/cpu/a', 200_000), '/sys/fs/cgroup/unified/b/cpu.max': '300000 100000' })).toBe(2);
  });

  test('are not limited by a group that cannot be seen', () => {
    const limits = { '/sys/fs/cgroup/cpu.max': '200000 100000', '/sys/fs/cgroup/../other/cpu.max': '100000 100000' };
    expect(cores({ '/proc/self/cgroup': '0::/../other\n', ...limits })).toBe(2);
  });

  test('never more than the fewest of both', () => {
    expect(cores({ '/sys/fs/cgroup/cpu.max': '400000 100000\n' }, 2)).toBe(2);
  });

  test('can be found out here', () => {
    expect(availableCores()).toBeGreaterThanOrEqual(1);
    expect(availableCores()).toBeLessThanOrEqual(availableParallelism());
  });
});
