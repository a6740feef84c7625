/** What begins a turn in the prompts that bases have read: names of who speaks, with a colon. One letter is none: lists have such. */
const roles = ['question', 'answer', 'user', 'human', 'assistant', 'system', 'bot', 'ai', 'instruction', 'response'];

/** In front of a line it makes a quotation of it, as in letters. */
const quotation = '> ';

/** Ends of a line, as any program might see one. */
const lineEnds = /\r\n|[\n\r\v\f\x1c-\x1e\u0085\u2028\u2029]/;

/**
 * What may stand in front of a mark and changes nothing about it: all but letters, digits, and `>`, since what is quoted begins no turn.
 */
const decoration = /^[^\p{L}\p{N}>]*/u;

/** Where turns begin in prompts of one template. */
export interface TurnMarks {
  /** Beginnings of lines of the template, without decoration. */
  lines: readonly string[];
  /** Whether it has fences around what is said. */
  fences: boolean;
}

/** What is compared: compatibility characters and capitals are alike, and what shows nothing is not there. */
const plain = (text: string): string =>
  text
    .normalize('NFKC')
    .replaceAll(/\p{Cf}/gu, '')
    .toLowerCase();

const isFence = (line: string): boolean => /^\s*(?:`{3,}|~{3,})/.test(line);

/** Reads a template of `basePrompt`: each of its lines that holds a letter may begin a turn. */
export function turnMarks(template: string): TurnMarks {
  const lines = template
    .split(/\{(?:question|system)\}/)
    .flatMap((literal) => literal.split(lineEnds))
    .map((line) => plain(line).replace(decoration, '').trimEnd())
    .filter((line) => /\p{L}/u.test(line));
  return { lines: [...new Set(lines)], fences: template.split(lineEnds).some(isFence) };
}

/** Whether a line begins a turn: as the template's own lines do, or with the name of somebody who speaks. */
export function opensTurn(line: string, { lines, fences }: TurnMarks): boolean {
  const read = plain(line);
  if (fences && isFence(read)) return true;
  const said = read.replace(decoration, '');
  return roleOpening.test(said) || lines.some((mark) => said.startsWith(mark) && !/^[\p{L}\p{N}]/u.test(continued(said, mark)));
}

const roleOpening = new RegExp(`^(?:${roles.join('|')})[^\\p{L}\\p{N}:]*:`, 'u');

/** What follows a mark that ends in a letter or digit, and would make another word of it. */
const continued = (said: string, mark: string): string => (/[\p{L}\p{N}]$/u.test(mark) ? said.slice(mark.length) : '');

/**
 * A text in which no line begins a turn: such lines are quoted (`> `). Everything else stays as it is.
 *
 * @param before what stands on the same line in front of the text, and `after` what stands on the same line behind it
 */
export function sealText(text: string, marks: TurnMarks, { before = '', after = '' }: { before?: string; after?: string } = {}): string {
  const parts = text.split(new RegExp(`(${lineEnds.source})`));
  return parts
    .map((part, index) => {
      if (index % 2 === 1) return part;
      const isFirst = index === 0;
      // Where the template has words on the line, the turn is its own.
      if (isFirst && /[\p{L}\p{N}]/u.test(before)) return part;
      const line = (isFirst ? before : '') + part + (index === parts.length - 1 ? after : '');
      return opensTurn(line, marks) ? quotation + part : part;
    })
    .join('');
}

/** Fills `{question}` and `{system}` into a template. One pass: a question that spells a placeholder stays as it is. */
export function fillTemplate(template: string, values: { question: string; system: string }, marks: TurnMarks | undefined): string {
  return template.replace(/\{(question|system)\}/g, (placeholder, name: 'question' | 'system', at: number) => {
    if (name === 'system' || !marks) return values[name];
    const before = template.slice(0, at).split(lineEnds).at(-1) ?? '';
    const after = template.slice(at + placeholder.length).split(lineEnds)[0] ?? '';
    // Another placeholder on the line has text of its own, which is not looked at here.
    return sealText(values.question, marks, { before: before.replaceAll(/\{(?:question|system)\}/g, ''), after });
  });
}
