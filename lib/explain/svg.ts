import { columnsOfText, layout } from './columns.ts';
import { escaped } from './escape.ts';
import type { Mode } from '../types.ts';
import type { ExplainedWord, Explanation } from './explanation.ts';
import { hasMarks, p, saying, summary } from './sentences.ts';
import { stripShapes } from './strip.ts';

/** What a picture of an explanation looks like. */
export interface SvgOptions {
  /** Lines above the answer; default: the question, and what the marks mean. */
  heading?: readonly string[];
  /** Characters on a line, 20 to 400. Default 92. */
  columns?: number;
}

/** Pixels of a monospaced letter of 14 px. */
const letter = 8.43;
const lineHeight = 26;
const edge = 24;

/**
 * An explanation as a picture: the answer with the aligned model's words boxed, a title for each word, and the probability strip with γ
 * below. It has no script and nothing from elsewhere, and follows light and dark where the viewer says so.
 */
export function explanationSvg(explanation: Explanation, { heading = headingOf(explanation), columns = 92 }: SvgOptions = {}): string {
  const width = Math.round(2 * edge + columns * letter);
  const words = explanation.words.filter((word) => !word.thinking);
  const top = 12 + heading.length * lineHeight;
  const lines = layout(
    words.map((word) => escapeless(word.text)),
    columns,
  );
  const shapes = lines.flatMap((line, row) =>
    line.map(({ index, text, column }) =>
      wordShape(words[index] as ExplainedWord, explanation.mode, text, column, top + 32 + row * lineHeight),
    ),
  );
  const stripTop = top + 32 + lines.length * lineHeight;
  const strip = stripShapes({ ...explanation, words }, { x: edge, y: stripTop, step: stepOf(words.length, width), height: 40 });
  const height = stripTop + 40 + 44;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" \
aria-label="One answer: words from the aligned model are marked">
<style>
  text { font: 14px ui-monospace, Menlo, Consolas, monospace; fill: #1f2328 }
  .page { fill: #f6f8fa } .dim { fill: #59636e } .nudge { fill: #ffe08a; stroke: #9a6700 }
  .bar { fill: #0969da; stroke: #0969da } .nudged { fill: none; stroke: #9a6700 } .gamma { stroke: #cf222e; stroke-dasharray: 4 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .page { fill: #0d1117 } .dim { fill: #9198a1 } .nudge { fill: #9e6a03; stroke: #d29922 }
    .bar { fill: #4493f8; stroke: #4493f8 } .nudged { fill: none; stroke: #d29922 } .gamma { stroke: #f85149 }
  }
</style>
<rect width="100%" height="100%" rx="8" class="page"/>
${heading.map((line, index) => textShape(line, edge, 36 + index * lineHeight, 'dim')).join('\n')}
${shapes.join('\n')}
${strip}
${textShape(summary(explanation), edge, height - 16, 'dim')}
</svg>
`;
}

function headingOf({ question, mode }: Explanation): string[] {
  const bars = mode === 'nudge' ? 'how sure the base was' : 'how sure the model was whose word it is';
  const key = hasMarks(mode) ? [`boxed: the aligned model; plain: the base; bars: ${bars}`] : [];
  return [...(question === undefined ? [] : [question.replace(/\s+/g, ' ').slice(0, 90)]), ...key];
}

/** Letters that a picture cannot show would shift the others. */
function escapeless(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '\ufffd');
}

function stepOf(words: number, width: number): number {
  return Math.min(12, (width - 2 * edge) / Math.max(1, words));
}

function wordShape(word: ExplainedWord, mode: Mode, text: string, column: number, y: number): string {
  const x = edge + column * letter;
  const begins = columnsOfText(text) - columnsOfText(text.trimStart());
  const wide = columnsOfText(text.trim()) * letter;
  const place = `x="${(x + begins * letter - 1.5).toFixed(1)}" y="${y - 16}" width="${(wide + 3).toFixed(1)}" height="22"`;
  const box = word.source === 'nudge' && wide > 0 ? `<rect ${place} rx="4" class="nudge"/>` : '';
  return `<g><title>${escaped(titleOf(word, mode))}</title>${box}${textShape(text, x, y)}</g>`;
}

function textShape(text: string, x: number, y: number, kind?: string): string {
  return `<text x="${x.toFixed(1)}" y="${y}"${kind === undefined ? '' : ` class="${kind}"`} xml:space="preserve">${escaped(text)}</text>`;
}

function titleOf({ source, base }: ExplainedWord, mode: Mode): string {
  if (mode !== 'nudge') {
    const from = { base: 'base', nudge: 'aligned', mix: 'the models together' }[source];
    return base ? `${from}, ${p(base.probability)}` : from;
  }
  if (source === 'base') return base ? `base, ${p(base.probability)}` : 'base';
  return base ? `aligned; the base had ${saying(base)}, ${p(base.probability)}` : 'aligned; the base was not asked';
}
