import { escaped } from '../../explain/escape.ts';

/** An element of SVG. Attributes that are undefined are left out; all values are escaped. */
export function element(name: string, attributes: Record<string, string | number | undefined>, content = ''): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? round(value) : escaped(String(value))}"`)
    .join('');
  return content === '' ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`;
}

const round = (value: number) => Math.round(value * 100) / 100;

export function text(x: number, y: number, said: string, attributes: Record<string, string | number | undefined> = {}): string {
  return element('text', { x, y, ...attributes }, escaped(said) || ' ');
}

/** A picture as wide as its place, with what it shows in words for who cannot see it. */
export function picture(width: number, height: number, label: string, content: string): string {
  return element(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label, style: `max-width:${width * 1.5}px` },
    content,
  );
}

/** One of the shapes that tell series apart beside their colours. */
export function marker(series: number, x: number, y: number, size = 4.5): string {
  const of = { class: `dot s${series % seriesCount}` };
  switch (series % 4) {
    case 0:
      return element('circle', { ...of, cx: x, cy: y, r: size });
    case 1:
      return element('rect', { ...of, x: x - size * 0.9, y: y - size * 0.9, width: size * 1.8, height: size * 1.8 });
    case 2:
      return element('path', { ...of, d: `M${x} ${y - size * 1.3}L${x + size * 1.3} ${y}L${x} ${y + size * 1.3}L${x - size * 1.3} ${y}Z` });
    default:
      return element('path', { ...of, d: `M${x} ${y - size * 1.2}L${x + size * 1.2} ${y + size}L${x - size * 1.2} ${y + size}Z` });
  }
}

/** Colours of series in the style sheet. */
export const seriesCount = 6;
