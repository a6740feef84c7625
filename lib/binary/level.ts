import { NudgingError } from '../errors.ts';
import type { BinaryPackage } from './packages.ts';

/** Levels of CPU, each with what those before it have: cmake/levels.cmake says with which instructions. */
const order = ['v2', 'v3', 'icelake', 'sapphirerapids', 'dotprod', 'i8mm'];

/** A level, and the file that is compiled for it. */
export interface Level {
  level: string;
  path: string;
}

/**
 * The highest level of a package that this CPU can run, or the one that is asked for.
 *
 * @param scores by level, what levels.node says; 0: this CPU lacks one of its instructions
 * @param asked what NUDGING_CPU says
 * @throws NudgingError ERR_NATIVE_LOAD where this CPU can run none of them, or not the one that is asked for
 */
export function chooseLevel({ binaries }: BinaryPackage, scores: Readonly<Record<string, number>>, asked: string | undefined): Level {
  const there = order.filter((level) => Object.hasOwn(binaries, level));
  const fit = there.filter((level) => (scores[level] ?? 0) > 0);
  const chosen = asked ? there.find((level) => level === asked) : fit.at(-1);
  const list = fit.length > 0 ? fit.join(', ') : 'none of them';
  if (asked && chosen === undefined)
    throw new NudgingError('ERR_NATIVE_LOAD', `NUDGING_CPU is one of ${there.join(', ')}, not "${asked}"; this CPU can run ${list}`, {
      option: 'NUDGING_CPU',
      value: asked,
    });
  if (asked && !fit.includes(asked))
    throw new NudgingError('ERR_NATIVE_LOAD', `NUDGING_CPU asks for ${asked}, whose instructions this CPU lacks; it can run ${list}`, {
      option: 'NUDGING_CPU',
      value: asked,
    });
  if (chosen === undefined)
    throw new NudgingError(
      'ERR_NATIVE_LOAD',
      `the published binaries are for CPUs of the levels ${there.join(', ')}, and this one is older: ` +
        'build one for it with "npx nudging build"',
    );
  return { level: chosen, path: binaries[chosen] as string };
}
