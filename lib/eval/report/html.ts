import { answerReliability, boundaryReliability } from '../calibration.ts';
import type { Paper } from '../paper.ts';
import type { RunRecord } from '../rows.ts';
import type { Summary } from '../summary.ts';
import { intervals, overGamma, reliabilityChart, type Curve, type Point } from './charts.ts';
import { escaped } from '../../explain/escape.ts';
import { examplesHtml } from './examples.ts';
import { factsOf } from './facts.ts';
import { systemLabel } from './numbers.ts';
import { style } from './style.ts';
import { tablesOf, type Table } from './tables.ts';
import { verdicts } from './verdict.ts';

/** report.html: one page that needs nothing else. Scripts and addresses are forbidden by its own policy, whatever a text holds. */
export function htmlReport(run: RunRecord | undefined, summary: Summary, paper: Paper): string {
  const [accuracy, ...others] = tablesOf(summary, paper);
  const facts = factsOf(run, summary).map(([name, text]) => `<dt>${escaped(name)}</dt><dd>${escaped(text)}</dd>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Evaluation of a nudged pair</title><style>${style}</style></head><body>
<h1>Evaluation of a nudged pair</h1>
<dl class="facts">${facts.join('')}</dl>
${inShort(summary)}
${accuracy ? tableHtml(accuracy) : ''}
${charts('Accuracy by task', 'Percent right with 95 % intervals.', accuracyCharts(summary))}
${charts('Over γ', 'Percent right, and percent nudged. Bands: 95 % intervals. Dashed: one model alone.', gammaCharts(summary))}
${charts('How far p̂ can be believed', 'Percent that came true, over the probability; dashed: as it was said.', reliabilityCharts(summary))}
${examplesHtml(summary)}
${others.map(tableHtml).join('\n')}
<footer><p>${escaped(`Paper: ${paper.source} ${paper.note}`)}</p></footer>
</body></html>
`;
}

function inShort(summary: Summary): string {
  const lines = verdicts(summary).map((line) => `<li>${escaped(line)}</li>`);
  return lines.length === 0 ? '' : `<h2>In short</h2><ul>${lines.join('')}</ul>`;
}

function charts(title: string, about: string, pictures: readonly string[]): string {
  if (pictures.length === 0) return '';
  const each = pictures.map((picture) => `<div>${picture}</div>`).join('');
  return `<h2>${escaped(title)}</h2><p class="about">${escaped(about)}</p><div class="charts">${each}</div>`;
}

/** Longer tables are opened by whoever wants to see them. */
const mostRows = 24;

function tableHtml({ title, about, head, rows }: Table): string {
  const cell = (text: string) => `<td${/^[\d.,<–-]/.test(text) ? ' class="figure"' : ''}>${escaped(text)}</td>`;
  const heading = head.map((text) => `<th scope="col">${escaped(text)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('');
  const table = `<div class="scroll"><table><thead><tr>${heading}</tr></thead><tbody>${body}</tbody></table></div>`;
  const shown = rows.length > mostRows ? `<details><summary>${rows.length} rows</summary>${table}</details>` : table;
  return `<h2>${escaped(title)}</h2><p class="about">${escaped(about)}</p>\n${shown}`;
}

/** Each system as a point, with the colour and shape of its place. */
function pointsOf({ systems, cell }: Summary, task: string): (Point & { name: string; gamma?: number })[] {
  return systems.flatMap(({ name, gamma }, series) => {
    const accuracy = cell(task, name)?.accuracy;
    return accuracy ? [{ ...accuracy, name, series, label: systemLabel(name), ...(gamma === undefined ? {} : { gamma }) }] : [];
  });
}

function accuracyCharts(summary: Summary): string[] {
  return summary.tasks.filter(({ score }) => score).map(({ name }) => intervals(name, pointsOf(summary, name)));
}

/** Plain nudging at several γ; systems with other settings have no place on that line. */
function gammaSystems({ systems }: Summary): { name: string; gamma: number }[] {
  const plain = systems.flatMap(({ name, gamma }) => (gamma !== undefined && name === `nudged:gamma=${gamma}` ? [{ name, gamma }] : []));
  return plain.length < 2 ? [] : plain.sort((one, other) => one.gamma - other.gamma);
}

function gammaCharts(summary: Summary): string[] {
  const nudged = gammaSystems(summary);
  if (nudged.length === 0) return [];
  const accuracy = summary.tasks
    .filter(({ score }) => score)
    .map(({ name: task }) => {
      const points = pointsOf(summary, task);
      const curve = nudged.flatMap(({ name, gamma }) =>
        points.filter((point) => point.name === name).map((point) => ({ ...point, gamma })),
      );
      const levels = points.filter(({ name }) => ['base', 'aligned', 'large'].includes(name));
      return overGamma(
        task,
        [{ label: 'nudged', series: 2, points: curve }],
        levels.map((level) => ({ ...level, series: levelSeries(level.name) })),
      );
    });
  const share = (of: 'tokens' | 'words', label: string, series: number): Curve => ({
    label,
    series,
    points: nudged.map(({ name, gamma }) => {
      const shares = summary.tasks.flatMap((task) => summary.cell(task.name, name)?.nudged?.[of] ?? []);
      return { gamma, share: shares.reduce((sum, value) => sum + value, 0) / Math.max(1, shares.length) };
    }),
  });
  return [...accuracy, overGamma('share nudged, mean of the tasks', [share('tokens', 'tokens', 2), share('words', 'words', 3)])];
}

const levelSeries = (name: string) => (name === 'base' ? 0 : name === 'aligned' ? 1 : 5);

function reliabilityCharts({ systems, answers }: Summary): string[] {
  return systems.flatMap(({ name, mode }) => {
    const own = answers.filter((row) => row.system === name);
    const boundary = boundaryReliability(own);
    const whole = mode === 'base' ? answerReliability(own) : undefined;
    return [
      ...(boundary ? [reliabilityChart(`${systemLabel(name)}: p̂ at boundaries`, boundary)] : []),
      ...(whole ? [reliabilityChart(`${systemLabel(name)}: p̂ of whole answers`, whole)] : []),
    ];
  });
}
