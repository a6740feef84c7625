import type { Nudging } from '../../engine.ts';
import { NudgingError } from '../../errors.ts';
import { describeModel } from '../../gguf/describe.ts';
import { withPair } from '../../pair.ts';
import { fileOf, isRemote } from '../../remote/model.ts';
import type { LaneName, LoadOptions, MemoryUse } from '../../types.ts';
import { describe } from '../failure.ts';
import { load } from '../load.ts';
import { bytes } from '../terminal.ts';
import { missingModels, type MissingModel } from './missing.ts';
import type { Finding } from './finding.ts';

/** What the speed of a pair is told of. */
const measured = ['base', 'aligned', 'nudge'] as const;

/** What was found out about a pair. */
export interface PairReport {
  base: string;
  aligned: string;
  /** Whether both can be loaded together; missing where the files are wrong. */
  fits?: boolean;
  /** Bytes that loading takes, or would take. */
  needed?: number;
  available?: number;
  /** Models that the cache does not have: nothing is loaded then, and `needed` is what their files and those that are there have. */
  missing?: MissingModel[];
  models?: Record<
    LaneName,
    { description: string; context: number; gpuLayers: number; devices: Record<string, number>; memory: MemoryUse }
  >;
  deterministic?: boolean;
  /** Tokens a second, measured; missing where nothing was. */
  speed?: Record<(typeof measured)[number], number>;
  /** Speed of both together ÷ that of the base alone. */
  ratio?: number;
  /** Share of the tokens that were nudged. */
  nudgeRatio?: number;
}

/** What models have heard of. Each is asked once, because what was said in a context is remembered. */
const nouns = 'harbor blur river candle winter bridge mirror garden engine letter island window market forest teacher mountain'.split(' ');

/** The question with this number. */
function questionOf(index: number): string {
  const round = Math.floor(index / nouns.length);
  return `What is a ${nouns[index % nouns.length]}?${round === 0 ? '' : ` Answer number ${round + 1}.`}`;
}

/** Examines both files, loads them, and measures. @param seconds for all measurements together; 0: none */
export async function examinePair(
  options: LoadOptions,
  seconds: number,
  signal: AbortSignal,
): Promise<{ pair: PairReport; findings: Finding[] }> {
  const models = await withPair(options);
  const { reference } = models;
  const [base, aligned] = [fileOf(models.base), fileOf(models.aligned)];
  const pair: PairReport = { base, aligned };
  // A doctor says what a download would be, and makes none.
  const absent = await missingModels({ base, aligned, ...(reference === undefined ? {} : { reference }) }, signal);
  if (absent.findings.length > 0) return { pair: { ...pair, ...absent.report }, findings: absent.findings };
  const findings: Finding[] = [];
  // Of a model on a server only the vocabulary is here, and loading looks at that.
  if (!isRemote(models.base)) findings.push(...(await fileFindings('base', base)));
  if (!isRemote(models.aligned)) findings.push(...(await fileFindings('aligned', aligned)));
  let nudging: Nudging;
  try {
    nudging = await load({ parallel: 1, ...options, onWarning: () => {} }, signal, false);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof NudgingError)) throw error;
    findings.push({ level: 'mend', what: describe(error) });
    if (error.code !== 'ERR_OUT_OF_MEMORY') return { pair, findings };
    const { needed, available } = error;
    return {
      pair: { ...pair, fits: false, ...(needed === undefined ? {} : { needed }), ...(available === undefined ? {} : { available }) },
      findings,
    };
  }
  try {
    pair.fits = true;
    pair.models = { base: reportOf(nudging, 'base'), aligned: reportOf(nudging, 'aligned') };
    pair.needed = Object.values(pair.models).reduce((sum, { memory }) => sum + memory.weights + memory.cache + memory.compute, 0);
    pair.deterministic = nudging.deterministic;
    if (seconds > 0) Object.assign(pair, await measure(nudging, seconds, signal));
    findings.push(...speedFindings(pair));
    return { pair, findings };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof NudgingError)) throw error;
    return { pair, findings: [...findings, { level: 'mend', what: describe(error) }] };
  } finally {
    await nudging.close();
  }
}

function reportOf(nudging: Nudging, lane: LaneName) {
  const { description, context, gpuLayers, devices, memory } = nudging.models[lane];
  return { description, context, gpuLayers, devices, memory };
}

/** What a file tells about its place in a pair. What is wrong with it altogether, loading says. */
async function fileFindings(lane: LaneName, path: string): Promise<Finding[]> {
  let described: Awaited<ReturnType<typeof describeModel>>;
  try {
    described = await describeModel(path);
  } catch (error) {
    if (error instanceof NudgingError) return [];
    throw error;
  }
  const { suits, warnings } = described;
  const unsuited: Finding[] =
    suits[lane] === 'no' ? [{ level: 'beware', what: `as the ${lane} model this file is probably wrong: ${clause(suits.because)}` }] : [];
  const others = warnings.filter((warning) => !warning.startsWith('The engine refuses it'));
  return [...unsuited, ...others.map((warning): Finding => ({ level: 'beware', what: `the ${lane} model: ${clause(warning)}` }))];
}

/** A sentence as a part of another one. */
function clause(sentence: string): string {
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1).replace(/\.$/, '')}`;
}

/** Asks the same questions in each mode until its share of the time is over. */
async function measure(
  nudging: Nudging,
  seconds: number,
  signal: AbortSignal,
): Promise<Pick<PairReport, 'speed' | 'ratio' | 'nudgeRatio'>> {
  const speed = { base: 0, aligned: 0, nudge: 0 };
  let [nudged, all] = [0, 0];
  for (const mode of measured) {
    // What is read for the first time is slower.
    await nudging.generate('Hello?', { mode, maxTokens: 2, signal });
    const end = performance.now() + (seconds * 1000) / 3;
    let [tokens, ms, asked] = [0, 0, 0];
    do {
      const timeout = Math.max(1, Math.round(end - performance.now()));
      const { stats } = await nudging.generate(questionOf(asked), { mode, maxTokens: 200, stop: [], timeout, signal });
      asked += 1;
      signal.throwIfAborted();
      // Of an answer that goes on, its first token is the prompt's.
      const goesOn = stats.tokens > 1 && stats.times.total > stats.times.firstPiece;
      tokens += goesOn ? stats.tokens - 1 : stats.tokens;
      ms += stats.times.total - (goesOn ? stats.times.firstPiece : 0);
      if (mode === 'nudge') [nudged, all] = [nudged + stats.nudgedTokens, all + stats.tokens];
    } while (performance.now() < end);
    speed[mode] = ms === 0 ? 0 : tokens / (ms / 1000);
  }
  return {
    speed,
    ...(speed.base > 0 ? { ratio: speed.nudge / speed.base } : {}),
    ...(all > 0 ? { nudgeRatio: nudged / all } : {}),
  };
}

/** A reader wants a few words a second. */
const slow = 3;

function speedFindings({ speed, models }: PairReport): Finding[] {
  if (!speed) return [];
  if (speed.nudge === 0 || speed.base === 0)
    return [{ level: 'beware', what: 'no token came in the time of the measurement: use smaller models' }];
  const findings: Finding[] = [];
  if (speed.nudge < slow) {
    const size = models ? ` (${bytes(models.base.memory.weights)} of weights are read for each token of the base's)` : '';
    findings.push({
      level: 'beware',
      what: `that is slow to read along${size}: a smaller quantisation, a smaller base or a GPU makes it faster`,
    });
  }
  if (speed.aligned < speed.base)
    findings.push({
      level: 'beware',
      what: 'the aligned model is slower than the base, and it drafts every word: a smaller one makes it faster',
    });
  return findings;
}
