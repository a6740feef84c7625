import { AnswerView } from './answer.js';
import { ask, hasKey, Refusal, useKey, whatThereIs } from './api.js';
import { columns, Columns } from './columns.js';
import { copyText, forms } from './copy.js';
import { byId } from './dom.js';
import { lineOf } from './figures.js';
import { Form } from './form.js';
import { requestOf } from './settings.js';

const form = new Form();
const side = new Columns(byId('table'));
const view = new AnswerView((gamma) => {
  form.setGamma(gamma);
  void run();
});
const [go, stop] = [byId('go', HTMLButtonElement), byId('stop', HTMLButtonElement)];
/** The question under way. @type {AbortController | undefined} */
let asking;

/** @param {unknown} error */
function complain(error) {
  const problem = byId('problem');
  problem.hidden = error === undefined;
  problem.textContent = error === undefined ? '' : messageOf(error);
  if (error instanceof Refusal && error.status === 401) askForKey();
}

/** @param {unknown} error */
function messageOf(error) {
  if (error instanceof Refusal) return error.code === undefined ? error.message : `${error.message} (${error.code})`;
  return error instanceof Error ? error.message : String(error);
}

function askForKey() {
  const keyForm = byId('key-form');
  keyForm.hidden = false;
  byId('key').focus();
}

/** Looks at what the server has, again while it is loading. */
async function open() {
  try {
    const { properties, models } = await whatThereIs();
    complain(undefined);
    byId('key-form').hidden = true;
    form.open(properties);
    about(models);
    if (Object.values(properties.models).some(({ state }) => state === 'loading')) setTimeout(open, 2000);
  } catch (error) {
    byId('about').textContent = '';
    // Who has not been asked for a key yet has done nothing wrong.
    if (error instanceof Refusal && error.status === 401 && !hasKey()) askForKey();
    else complain(error);
  }
}

/** @param {any[]} models */
function about(models) {
  const { pair } = form.settings();
  const { base, aligned } = models.find(({ id }) => id === pair)?.nudging.models ?? {};
  const size = (/** @type {any} */ model) =>
    model?.parameters > 0 ? `${Number((model.parameters / 1e6).toPrecision(3))} M parameters` : 'model';
  byId('about').textContent =
    base && aligned ? `${pair}: a base of ${size(base)}, nudged by one of ${size(aligned)}` : `${pair} is being loaded…`;
  byId('pair').onchange = () => {
    form.pairChanged();
    about(models);
  };
}

/** Asks, once or of all three. */
async function run() {
  asking?.abort();
  const own = new AbortController();
  asking = own;
  const settings = form.settings();
  form.toAddress(settings);
  complain(undefined);
  const three = settings.compare;
  byId('columns').hidden = !three;
  byId('columns-text').textContent = '';
  if (three) side.begin();
  view.begin(settings.question, settings.pair);
  byId('state').textContent = 'Writing…';
  stop.disabled = false;
  byId('shown').setAttribute('aria-busy', 'true');
  /** @param {'base' | 'nudge' | 'aligned'} mode @param {number} column */
  const one = async (mode, column) => {
    try {
      const answer = await ask(requestOf(settings, mode), {
        signal: own.signal,
        onPiece: (piece) => {
          if (mode === 'nudge') view.add(piece);
          if (three) side.add(column, piece);
        },
      });
      if (mode === 'nudge') view.end(answer);
      side.tell(column, lineOf(answer, mode === 'nudge'));
      return answer;
    } catch (error) {
      if (asking !== own) return undefined;
      side.tell(column, own.signal.aborted ? 'stopped' : messageOf(error));
      if (mode === 'nudge') view.breakOff(own.signal.aborted);
      if (!own.signal.aborted) complain(error);
      return undefined;
    }
  };
  const asked = columns.map(({ mode }, column) => (three || mode === 'nudge' ? one(mode, column) : undefined));
  const answers = await Promise.all(asked);
  if (asking !== own) return;
  asking = undefined;
  stop.disabled = true;
  byId('shown').removeAttribute('aria-busy');
  if (three && answers.every((answer) => answer !== undefined)) {
    const { same, words } = side.align(answers);
    byId('columns-text').textContent =
      `${same} of the ${words} words of the nudged answer stand in all three. Marked: what the nudged answer does not have, ` +
      'and in it what neither of the others has.';
  }
}

byId('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  void run();
});
/** Browsers refuse too many changes of the address in a short time. @type {ReturnType<typeof setTimeout> | undefined} */
let noting;
byId('ask').addEventListener('input', () => {
  clearTimeout(noting);
  noting = setTimeout(() => form.toAddress(), 300);
});
byId('question').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId('ask', HTMLFormElement).requestSubmit(go);
});
stop.addEventListener('click', () => asking?.abort());
byId('key-form').addEventListener('submit', (event) => {
  event.preventDefault();
  useKey(byId('key', HTMLInputElement).value);
  void open();
});
byId('copies').addEventListener('click', async (event) => {
  const button = event.target instanceof HTMLButtonElement ? event.target : undefined;
  const taken = view.taken();
  if (!button || !taken) return;
  try {
    await copyText(forms[button.dataset['as'] ?? 'text']?.(taken) ?? '');
    byId('state').textContent = `Copied as ${button.dataset['as'] === 'text' ? 'text' : button.dataset['as']?.toUpperCase()}.`;
  } catch (error) {
    complain(error);
  }
});
addEventListener('hashchange', () => form.fromAddress());
void open();
