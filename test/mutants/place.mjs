/**
 * Where a mutant's text stands in a source, however the formatter broke its lines: tokens must be the same, white space need not be.
 * Only what is between the first and the last token is replaced.
 * @param {string} source @param {string} from
 * @returns {{ begin: number, end: number }[]}
 */
export function placesOf(source, from) {
  const tokens = from.match(/\w+|[^\s\w]/g) ?? [];
  const escaped = tokens.map((token) => token.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  // `a b` is not `ab`.
  const between = tokens.map((token, index) => (/\w$/.test(token) && /^\w/.test(tokens[index + 1] ?? '') ? '\\s+' : '\\s*'));
  const isWord = (/** @type {string | undefined} */ token) => /\w/.test(token ?? '');
  const begin = isWord(tokens[0]) ? '\\b' : '';
  const end = isWord(tokens.at(-1)) ? '\\b' : '';
  const pattern = escaped.map((token, index) => (index + 1 < escaped.length ? token + between[index] : token)).join('');
  return [...source.matchAll(new RegExp(begin + pattern + end, 'g'))].map((match) => ({
    begin: match.index,
    end: match.index + match[0].length,
  }));
}

/**
 * The source with the mutant in it.
 * @param {string} source @param {import('./mutants.mjs').Mutant} mutant
 */
export function mutated(source, { name, file, from, to }) {
  const [place, another] = placesOf(source, from);
  if (place === undefined || another !== undefined) throw new Error(`"${name}": its text must occur exactly once in ${file}`);
  return source.slice(0, place.begin) + to.trim() + source.slice(place.end);
}
