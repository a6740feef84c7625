const width = 760;
const left = 330;
const barHeight = 22;
const gap = 10;
const escaped = (/** @type {string} */ text) => text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);

/**
 * A bar chart as SVG, readable on light and dark pages.
 * @param {string} title
 * @param {readonly { label: string, value: number, low: number, high: number, ours: boolean }[]} bars
 */
export function barChart(title, bars) {
  const most = Math.max(...bars.map(({ high }) => high), Number.MIN_VALUE);
  const scale = (width - left - 90) / most;
  const height = 56 + bars.length * (barHeight + gap);
  const rows = bars.map(({ label, value, low, high, ours }, index) => {
    const y = 44 + index * (barHeight + gap);
    const middle = y + barHeight / 2;
    const x = (/** @type {number} */ at) => (left + at * scale).toFixed(1);
    return `<text x="${left - 10}" y="${middle + 5}" text-anchor="end">${escaped(label)}</text>
<rect x="${left}" y="${y}" width="${(value * scale).toFixed(1)}" height="${barHeight}" rx="3" class="${ours ? 'ours' : 'other'}"/>
<path d="M${x(low)} ${middle}H${x(high)}M${x(low)} ${middle - 4}v8M${x(high)} ${middle - 4}v8" class="range"/>
<text x="${(left + high * scale + 8).toFixed(1)}" y="${middle + 5}">${value.toFixed(value < 10 ? 2 : 1)}</text>`;
  });
  const size = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${escaped(title)}">
<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600 }
  .ours { fill: #2f81f7 } .other { fill: #9198a1 } .range { stroke: #1f2328; stroke-width: 1.2; fill: none }
  .paper { fill: #ffffff }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .range { stroke: #e6edf3 } .paper { fill: #0d1117 } }
</style>
<rect width="100%" height="100%" rx="8" class="paper"/>
<text x="16" y="26" class="title">${escaped(title)}</text>
${rows.join('\n')}
</svg>
`;
}
