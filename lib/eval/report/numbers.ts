import type { Share } from '../summary.ts';

/** `43.2`: percent with one decimal. */
export const percent1 = (share: number): string => (100 * share).toFixed(1);

/** `43.2 (34.1–52.9)`: percent with its interval. */
export function shareText({ share, low, high }: Share): string {
  return `${percent1(share)} (${percent1(low)}–${percent1(high)})`;
}

/** `0.031`, `< 0.001`. */
export function pText(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

/** `12.3`, `410`. */
export const speedText = (rate: number): string => (rate >= 100 ? rate.toFixed(0) : rate.toFixed(1));

/** How a system is called in a report: `nudged, γ 0.3` for `nudged:gamma=0.3`. */
export function systemLabel(name: string): string {
  const end = name.indexOf(':');
  if (end === -1) return name;
  const settings = name
    .slice(end + 1)
    .replace(/(^|,)gamma=/g, '$1γ ')
    .replaceAll(',', ', ');
  return `${name.slice(0, end)}, ${settings}`;
}
