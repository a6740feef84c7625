import { p, saying, whyRound, whyRunEnded } from '../../explain/sentences.js';
import { element } from './dom.js';

/** What happened round by round. @param {HTMLElement} details @param {import('../../explain/explanation.ts').Explanation} explanation */
export function showRounds(details, explanation) {
  const { rounds, mode } = explanation;
  details.hidden = mode !== 'nudge' || rounds.length === 0;
  details.querySelector('ol')?.replaceChildren(
    ...rounds.map((round) => {
      const ended = whyRunEnded(round, explanation);
      const asked = round.asked.map((base) => element('li', {}, element('bdi', {}, saying(base)), `, ${p(base.probability)}`));
      const times = `the base was asked ${asked.length} time${asked.length === 1 ? '' : 's'}`;
      return element(
        'li',
        {},
        element('p', { dir: 'auto' }, ...(round.words === '' ? [] : [element('b', { class: 'word nudge' }, round.words)]), round.base),
        element('p', { class: 'dim' }, `${whyRound(round)}${ended === undefined ? '' : `; ${ended}`}.`),
        ...(asked.length === 0 ? [] : [element('details', {}, element('summary', {}, times), element('ol', {}, ...asked))]),
      );
    }),
  );
}
