import type { Reliability } from '../calibration.ts';
import { percent1 } from './numbers.ts';
import { element, marker, picture, seriesCount, text } from './svg.ts';

/** A share with its interval, drawn for one system. */
export interface Point {
  label: string;
  /** Which colour and shape it has. */
  series: number;
  share: number;
  low: number;
  high: number;
}

const width = 380;
/** What has no room is in the tables, and in the picture's description. */
const shortened = (label: string, most: number) => (label.length > most ? `${label.slice(0, most - 1)}…` : label);
const percent = (share: number) => `${percent1(share)} %`;

/** Shares of several systems below each other, each a mark on its interval. */
export function intervals(title: string, points: readonly Point[]): string {
  const [left, right, top, line] = [118, 52, 22, 21];
  const bottom = top + points.length * line;
  const x = (share: number) => left + share * (width - left - right);
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      element('line', { class: 'grid', x1: x(share), x2: x(share), y1: top - 4, y2: bottom }) +
      text(x(share), bottom + 14, String(share * 100), { class: 'axis', 'text-anchor': 'middle' }),
  );
  const rows = points.map(({ label, series, share, low, high }, index) => {
    const y = top + (index + 0.5) * line;
    return [
      text(left - 10, y + 4, shortened(label, 18), { 'text-anchor': 'end' }),
      element('line', { class: `whisker s${series % seriesCount}`, x1: x(low), x2: x(high), y1: y, y2: y }),
      marker(series, x(share), y),
      text(width - 2, y + 4, percent1(share), { 'text-anchor': 'end' }),
    ].join('');
  });
  const words = points
    .map(({ label, share, low, high }) => `${label} ${percent(share)} (${percent1(low)} to ${percent1(high)})`)
    .join('; ');
  return picture(width, bottom + 22, `${title}: ${words}`, [text(2, 12, title, { class: 'title' }), ...grid, ...rows].join(''));
}

/** A line over γ with its band. */
export interface Curve {
  label: string;
  series: number;
  points: { gamma: number; share: number; low?: number; high?: number }[];
}

/** Curves over γ, and levels of systems that have none. */
export function overGamma(title: string, curves: readonly Curve[], levels: readonly Point[] = []): string {
  const [left, right, top, bottom] = [34, 96, 24, 172];
  const gammas = curves.flatMap(({ points }) => points.map(({ gamma }) => gamma));
  const [least, most] = [Math.min(...gammas), Math.max(...gammas)];
  const shares = [...curves.flatMap(({ points }) => points.map(({ share, high = share }) => high)), ...levels.map(({ share }) => share)];
  // Shares that are all small would lie on the axis.
  const peak = Math.min(1, Math.max(0.1, Math.ceil(Math.max(...shares) * 10) / 10));
  const x = (gamma: number) => left + (most === least ? 0.5 : (gamma - least) / (most - least)) * (width - left - right);
  const y = (share: number) => bottom - (share / peak) * (bottom - top);
  const grid = [0, 0.5, 1].map(
    (part) =>
      element('line', { class: 'grid', x1: left - 6, x2: width - right + 6, y1: y(part * peak), y2: y(part * peak) }) +
      text(left - 10, y(part * peak) + 4, String(Math.round(part * peak * 100)), { class: 'axis', 'text-anchor': 'end' }),
  );
  const ticks = [...new Set(gammas)].map((gamma) => text(x(gamma), bottom + 16, String(gamma), { class: 'axis', 'text-anchor': 'middle' }));
  const drawn = curves.map(({ series, points }) => {
    const path = (of: (point: Curve['points'][number]) => number, from: Curve['points']) => from.map((p) => `${x(p.gamma)} ${y(of(p))}`);
    const band = [...path((p) => p.high ?? p.share, points), ...path((p) => p.low ?? p.share, [...points].reverse())];
    return [
      element('path', { class: `band s${series % seriesCount}`, d: `M${band.join('L')}Z` }),
      element('path', { class: `curve s${series % seriesCount}`, d: `M${path((p) => p.share, points).join('L')}` }),
      ...points.map((p) => marker(series, x(p.gamma), y(p.share), 4)),
    ].join('');
  });
  const flat = levels.map(({ series, share }) =>
    element('line', { class: `level s${series % seriesCount}`, x1: left - 6, x2: width - right + 6, y1: y(share), y2: y(share) }),
  );
  const ends = [
    ...curves.map(({ label, series, points }) => ({ label, series, share: points.at(-1)?.share ?? 0 })),
    ...levels.map(({ label, series, share }) => ({ label, series, share })),
  ];
  const labels = apart(ends.map(({ share }) => y(share))).map((at, index) => {
    const { label, series } = ends[index] as (typeof ends)[number];
    return marker(series, width - right + 14, at - 4, 3.5) + text(width - right + 22, at, shortened(label, 11));
  });
  const words = [
    ...curves.map(({ label, points }) => `${label} ${points.map(({ gamma, share }) => `${percent(share)} at ${gamma}`).join(', ')}`),
    ...levels.map(({ label, share }) => `${label} ${percent(share)}`),
  ].join('; ');
  const parts = [text(2, 12, title, { class: 'title' }), ...grid, ...ticks, text(width - right + 14, bottom + 16, 'γ', { class: 'axis' })];
  return picture(width, bottom + 24, `${title}: ${words}`, [...parts, ...flat, ...drawn, ...labels].join(''));
}

/** Places for labels of one line each that do not cover each other, near the wanted ones. */
function apart(wanted: readonly number[], line = 15): number[] {
  const order = wanted.map((_, index) => index).sort((one, other) => (wanted[one] as number) - (wanted[other] as number));
  const placed: number[] = [];
  let last = -Infinity;
  for (const index of order) {
    last = Math.max((wanted[index] as number) + 4, last + line);
    placed[index] = last;
  }
  return placed;
}

/** How often something was right, over how probable it was said to be. On the dashed line both are the same. */
export function reliabilityChart(title: string, { bins, error, count }: Reliability): string {
  const [left, top, size] = [40, 26, 200];
  const x = (share: number) => left + share * size;
  const y = (share: number) => top + size - share * size;
  const grid = [0, 0.5, 1].map(
    (share) =>
      element('line', { class: 'grid', x1: x(0), x2: x(1), y1: y(share), y2: y(share) }) +
      text(left - 6, y(share) + 4, String(share * 100), { class: 'axis', 'text-anchor': 'end' }) +
      text(x(share), y(0) + 16, String(share * 100), { class: 'axis', 'text-anchor': 'middle' }),
  );
  const most = Math.max(...bins.map((bin) => bin.count));
  const bars = bins.map(({ low, high, count: n, right }) => {
    // As much of the bin's width as it has of the cases: few cases say little.
    const wide = Math.max(2, (x(high) - x(low) - 2) * Math.sqrt(n / most));
    const middle = (x(low) + x(high)) / 2;
    const tall = Math.max(1, y(0) - y(right));
    return element('rect', { class: 'bar s0', x: middle - wide / 2, y: y(0) - tall, width: wide, height: tall });
  });
  const diagonal = element('line', { class: 'diagonal', x1: x(0), x2: x(1), y1: y(0), y2: y(1) });
  const notes = [`${count} cases`, `error ${percent1(error)}`, 'wider bar:', 'more cases'].map((note, index) =>
    text(x(1) + 14, top + 14 + index * 16, note, { class: 'axis' }),
  );
  const words = bins.map(({ low, high, right, count: n }) => `p ${low} to ${high}: ${percent(right)} of ${n}`).join('; ');
  return picture(
    width,
    y(0) + 24,
    `${title}: ${words}`,
    [text(2, 12, title, { class: 'title' }), ...grid, ...bars, diagonal, ...notes].join(''),
  );
}
