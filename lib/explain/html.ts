import { escaped } from './escape.ts';
import type { ExplainedWord, Explanation } from './explanation.ts';
import { script, scriptHash, style, styleHash } from './page-assets.ts';
import { hasMarks, meaningOf, p, quoted, saying, summary, whyRound, whyRunEnded, whyWord } from './sentences.ts';
import { stripShapes } from './strip.ts';

/**
 * An explanation as one HTML page that needs nothing else: the answer word by word, a card for each word, the probability strip with γ, and
 * round by round. Its content security policy lets nothing run or load but its own style and script. Every text of the answer is escaped.
 */
export function explanationHtml(explanation: Explanation): string {
  const { question, mode } = explanation;
  const title = question === undefined ? 'An answer, explained' : question.replace(/\s+/g, ' ').slice(0, 120);
  const policy = `default-src 'none'; style-src '${styleHash}'; script-src '${scriptHash}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1 dir="auto">${escaped(question ?? 'An answer, explained')}</h1>
<p class="dim">${escaped(summary(explanation))}</p>
${hasMarks(mode) ? legend : ''}
${explanationFragment(explanation)}
</main>
<script>${script}</script>
</body>
</html>
`;
}

const legend = `<p class="legend"><span class="word nudge">underlined and bold</span> the aligned model's words
<span class="word base s4">tinted</span> the base's, the fainter the less sure</p>`;

/** What of the page is about the answer: for other pages that have the same style and script. */
export function explanationFragment(explanation: Explanation): string {
  const { words, rounds, mode } = explanation;
  const shown = words.map((word, index) => [word, index] as const);
  const thinking = shown.filter(([word]) => word.thinking);
  const text = shown.filter(([word]) => !word.thinking);
  return `${thinking.length > 0 ? `<h2>Thinking</h2>\n${wordsHtml(thinking, 'Thinking')}\n` : ''}${wordsHtml(text, 'Answer')}
${words.length > 0 ? stripHtml(explanation) : '<p>The answer is empty.</p>'}
<div id="cards">
<p class="dim" id="hint">Point at a word, or move to one with the Tab and arrow keys, to see why it is there.</p>
${words.map((word, index) => cardHtml(word, index, explanation)).join('\n')}
</div>
${mode === 'nudge' && rounds.length > 0 ? roundsHtml(explanation) : ''}`;
}

/** Words of a round stand in one element, and only one word is a stop of the Tab key: arrow keys move among them (page-assets.ts). */
function wordsHtml(words: readonly (readonly [ExplainedWord, number])[], label: string): string {
  const rounds = [...new Set(words.map(([word]) => word.round))];
  const groups = rounds.map((round) => {
    const own = words.filter(([word]) => word.round === round);
    const inner = own.map(([word, index]) => wordHtml(word, index, index === words[0]?.[1])).join('');
    return `<span class="round" data-round="${round + 1}">${inner}</span>`;
  });
  return `<div class="answer" dir="auto" role="group" aria-label="${label}, word by word">${groups.join('')}</div>`;
}

function wordHtml({ text, source, base }: ExplainedWord, index: number, first: boolean): string {
  const sure = source === 'base' && base ? ` s${Math.min(4, Math.floor(base.probability * 5))}` : '';
  const blank = text.trim() === '' ? ' blank' : '';
  return `<span class="word ${source}${sure}${blank}" id="w${index}" data-word="${index}" tabindex="${first ? 0 : -1}" \
aria-describedby="c${index}">${escaped(text)}</span>`;
}

function stripHtml(explanation: Explanation): string {
  const step = Math.max(3, Math.min(12, 720 / explanation.words.length));
  const width = Math.ceil(explanation.words.length * step);
  const { gamma, mode } = explanation;
  const sure = mode === 'nudge' ? 'How sure the base was at each word' : `At each word ${meaningOf(explanation)}`;
  const label = `${sure}${gamma === undefined ? '' : `; the line is gamma, ${gamma}`}`;
  const marks = hasMarks(mode) ? ' Filled: the base wrote the word; outlined: the aligned model did.' : '';
  const size = `viewBox="0 0 ${width} 64" width="${width}" height="64"`;
  return `<figure><div class="scroll"><svg class="strip" ${size} role="img" aria-label="${label}">
${stripShapes(explanation, { x: 0, y: 0, step, height: 64 })}
</svg></div>
<figcaption class="dim">${label}.${marks}</figcaption></figure>`;
}

function cardHtml(word: ExplainedWord, index: number, explanation: Explanation): string {
  const { text, source, base, round } = word;
  const rows = [
    ['word', quoted(text)],
    ['from', { base: 'the base', nudge: 'the aligned model', mix: 'the models together' }[source]],
    ...(base && source === 'nudge' && explanation.mode === 'nudge' ? [['the base would have said', saying(base)]] : []),
    ...(base ? [['sure of it', `${p(base.probability)}${base.margin === undefined ? '' : `, margin ${base.margin.toFixed(2)}`}`]] : []),
    ...(explanation.mode === 'nudge' ? [['round', String(round + 1)]] : []),
  ];
  return `<div class="card" id="c${index}" hidden><p>${escaped(whyWord(word, explanation))}</p><dl>${rows
    .map(([name = '', value = '']) => `<div><dt>${name}</dt><dd dir="auto">${escaped(value)}</dd></div>`)
    .join('')}</dl></div>`;
}

function roundsHtml(explanation: Explanation): string {
  const items = explanation.rounds.map((round) => {
    const ended = whyRunEnded(round, explanation);
    const asked = round.asked.map((base) => `<li><bdi>${escaped(saying(base))}</bdi>, ${p(base.probability)}</li>`);
    const times = `asked ${asked.length} time${asked.length === 1 ? '' : 's'}`;
    const nudged = round.words === '' ? '' : `<b class="word nudge" dir="auto">${escaped(round.words)}</b>`;
    return `<li><p>${nudged}<span dir="auto">${escaped(round.base)}</span></p>
<p class="dim">${escaped(`${whyRound(round)}${ended === undefined ? '' : `; ${ended}`}.`)}</p>${
      asked.length === 0 ? '' : `<details><summary>${times}</summary><ol>${asked.join('')}</ol></details>`
    }</li>`;
  });
  return `<h2>Round by round</h2>\n<ol class="rounds">${items.join('\n')}</ol>`;
}
