/** Style and script of the HTML page. Their hashes are in its content security policy; test/explain.test.ts says what they must be. */

export const style = `
:root { color-scheme: light dark; --page: #fff; --text: #1f2328; --dim: #59636e; --line: #d1d9e0; --nudge: #8a4600; --nudge-page: #fff3d6;
  --base: 9, 105, 218; --bar: #0969da; --gamma: #cf222e }
@media (prefers-color-scheme: dark) {
  :root { --page: #0d1117; --text: #e6edf3; --dim: #9198a1; --line: #3d444d; --nudge: #f0b44c; --nudge-page: #33260a;
    --base: 68, 147, 248; --bar: #4493f8; --gamma: #f85149 }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.6 system-ui, sans-serif }
main { max-width: 50rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.25rem; line-height: 1.3; overflow-wrap: anywhere; white-space: pre-wrap }
h2 { font-size: 1.05rem; margin-top: 2rem }
.dim, dt { color: var(--dim); font-size: .875rem }
.answer { font-size: 1.125rem; line-height: 2; white-space: pre-wrap; overflow-wrap: anywhere; margin: 1rem 0 }
.word { border-radius: 3px; padding: .1em 0 }
.nudge { color: var(--nudge); background: var(--nudge-page); font-weight: 600; text-decoration: underline 2px; text-underline-offset: .2em }
.base.s0 { background: rgba(var(--base), .04) } .base.s1 { background: rgba(var(--base), .08) }
.base.s2 { background: rgba(var(--base), .12) } .base.s3 { background: rgba(var(--base), .16) }
 .base.s4 { background: rgba(var(--base), .2) }
.answer .word { cursor: help }
.answer .word:focus, .answer .word.on { outline: 2px solid var(--text); outline-offset: 1px }
.round + .round { border-inline-start: 1px solid var(--line) }
.legend .word { padding: .1em .3em; margin-inline-start: .6em } .legend .word:first-child { margin: 0 }
figure { margin: 1rem 0 } .scroll { overflow-x: auto; padding: 2px 0 }
.strip { display: block }
.bar { fill: var(--bar); stroke: var(--bar) } .bar.nudged { fill: none; stroke: var(--nudge) } .bar.none { fill: var(--dim); stroke: none }
.bar.on { stroke: var(--text); stroke-width: 2 }
.gamma { stroke: var(--gamma); stroke-dasharray: 4 3 }
#cards { position: sticky; bottom: 0; background: var(--page); border: 1px solid var(--line); border-radius: 6px;
  padding: .6rem .9rem; min-height: 7.5rem }
#cards p { margin: 0 0 .4rem }
dl { display: flex; flex-wrap: wrap; gap: .2rem 1.5rem; margin: 0 } dt, dd { display: inline; margin: 0 } dt::after { content: ": " }
dd { overflow-wrap: anywhere; white-space: pre-wrap; font-variant-numeric: tabular-nums }
.rounds > li { margin: .8rem 0; overflow-wrap: anywhere } .rounds p { margin: 0; white-space: pre-wrap }
[hidden] { display: none }
@media print { #cards { display: none } }
`;

export const script = `
'use strict';
(() => {
  const words = [...document.querySelectorAll('.answer .word')];
  const bars = new Map([...document.querySelectorAll('.bar')].map((bar) => [bar.dataset.word, bar]));
  let shown;
  const show = (word) => {
    if (shown) {
      shown.classList.remove('on');
      bars.get(shown.dataset.word)?.classList.remove('on');
      document.getElementById('c' + shown.dataset.word).hidden = true;
    }
    document.getElementById('hint').hidden = true;
    shown = word;
    word.classList.add('on');
    bars.get(word.dataset.word)?.classList.add('on');
    document.getElementById('c' + word.dataset.word).hidden = false;
  };
  const go = (word) => {
    if (!word) return;
    for (const other of words) other.tabIndex = -1;
    word.tabIndex = 0;
    word.focus();
  };
  for (const [index, word] of words.entries()) {
    word.addEventListener('focus', () => show(word));
    word.addEventListener('pointerenter', () => show(word));
    word.addEventListener('click', () => go(word));
    word.addEventListener('keydown', (event) => {
      const [next, last] = [index + 1, index - 1];
      const places = { ArrowRight: next, ArrowDown: next, ArrowLeft: last, ArrowUp: last, Home: 0, End: words.length - 1 };
      const to = places[event.key];
      if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      go(words[to]);
    });
  }
  for (const [word, bar] of bars) bar.addEventListener('pointerenter', () => show(document.getElementById('w' + word)));
})();
`;

export const styleHash = 'sha256-D2JLk05RmT5slwmRDYY++prgbj9VT+bMpAkBeN3qrcw=';
export const scriptHash = 'sha256-9v4ZEEU7UN98QRk1CCZvTtgzF6Nu7rIOi5wW4vbza8U=';
