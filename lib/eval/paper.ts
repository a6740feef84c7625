import { readFileSync } from 'node:fs';
import { inPackage } from '../here.ts';

/** A figure of each system of the paper; null where it is not known here. */
export type PaperFigures = Readonly<Record<'base' | 'aligned' | 'nudged' | 'large', number | null>>;

/** The paper's figures of one pair. */
export interface PaperPair {
  pair: string;
  tasks: Readonly<Record<string, PaperFigures>>;
  'average of 11': PaperFigures;
}

export interface Paper {
  source: string;
  note: string;
  pairs: PaperPair[];
}

/** paper.json, which the build puts beside the code. Whoever has the tables can fill in its nulls. */
export function paper(): Paper {
  return JSON.parse(readFileSync(inPackage('dist/eval/paper.json'), 'utf8')) as Paper;
}
