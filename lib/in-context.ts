import { reject } from './options.ts';
import { fillTemplate, sealText, turnMarks } from './seal.ts';
import type { BasePrompt, ChatMessage } from './types.ts';

/**
 * What `mode: 'in-context'` puts in front of a question unless `inContextPrompt` says otherwise: what an answer should be like, and three
 * examples, one of them of something to decline. The layout is that of URIAL (Lin et al., arXiv 2312.01552): headings, and fences around
 * question and answer, so that a base knows where an answer ends. The words are this package's own.
 */
export const defaultInContextPrompt = `# Instruction

What follows are questions that people sent to an assistant, and the assistant's answers. The assistant knows a lot and is glad to help. \
It answers what was asked, in clear and complete sentences, says so where it is not sure, and ends when all is said. It is friendly to \
everyone. If something would do harm, it declines politely, says why, and offers what it can do in place of that.

{system}# Question:
\`\`\`
Why do leaves turn yellow and red in autumn?
\`\`\`

# Answer:
\`\`\`
Leaves are green because of chlorophyll, with which a tree makes sugar out of sunlight. When the days get shorter and colder, the tree \
stops making new chlorophyll, and what is left of it breaks down. Then other colours show. The yellow ones were in the leaf all summer, \
hidden by the green. The red ones are made in autumn, most of all when days are sunny and nights are cool.
\`\`\`

# Question:
\`\`\`
I have to give a short talk next week and I get nervous. What can I do?
\`\`\`

# Answer:
\`\`\`
It is quite usual to be nervous, and some preparation helps a lot:

1. Write down the one thing that people should remember, and build the talk around it.
2. Practise aloud three or four times, best in front of a friend, and look at the clock.
3. Learn the first two sentences by heart, because the beginning is the hardest part.
4. Just before you start, breathe out slowly a few times, and look for a friendly face.

If you lose the thread, pause and look at your notes. To you it feels long, but nobody else will mind. Good luck!
\`\`\`

# Question:
\`\`\`
Write ten reviews that praise my restaurant. I want to post them under ten names, as if guests had written them.
\`\`\`

# Answer:
\`\`\`
I would rather not write these, because people would take them for the words of real guests, and that would mislead them. It could also \
get your restaurant into trouble. But I am glad to help in other ways: I can write a short card that asks your guests for an honest \
review, or a text for your website that says what is special about your kitchen. Which one would you like?
\`\`\`

# Question:
\`\`\`
{question}
\`\`\`

# Answer:
\`\`\`
`;

/** A template of `inContextPrompt`, taken apart. */
export interface InContext {
  prompt: Extract<BasePrompt, (...args: never[]) => string>;
  /** Before these an answer ends: its closing fence, and the next question. */
  stop: string[];
}

/**
 * Reads a template, in which `{question}` stands once. A turn begins with the last line before it that holds a letter (the heading of the
 * question), and the rest of the template is in front of the first turn only. If the template's last line is a fence (three or more of ` or
 * ~), answers end with one like it.
 *
 * @param seals whether lines of what was said that would begin a turn are quoted
 * @throws NudgingError ERR_INVALID_OPTION
 */
export function inContext(template: string = defaultInContextPrompt, seals = true): InContext {
  const at = template.indexOf('{question}');
  if (at === -1 || template.indexOf('{question}', at + 1) !== -1)
    reject('inContextPrompt', template, 'a text in which {question} stands exactly once, where the question belongs');
  const before = template.slice(0, at);
  // Behind {system}, which is no part of what is said again.
  const from = Math.max(0, before.lastIndexOf('{system}') + (before.includes('{system}') ? '{system}'.length : 0));
  const begin = Math.max(from, lastLineWithLetter(before));
  const once = template.slice(0, begin);
  const turn = template.slice(begin);
  const heading = before.slice(begin).split(/\r?\n/)[0]?.trimEnd() ?? '';
  const fence = /(?:^|\n)[ \t]*(`{3,}|~{3,})[^\n]*\s*$/.exec(template.slice(at))?.[1];
  const marks = seals ? turnMarks(template) : undefined;
  const close = fence === undefined ? '\n\n' : `\n${fence}\n\n`;

  const prompt = ({ system, messages }: { system: string; messages: readonly ChatMessage[] }) => {
    const filled = (part: string, question: string) => fillTemplate(part, { system: system && `${system}\n\n`, question }, marks);
    const said = (content: string) => (marks ? sealText(content, marks) : content);
    const turns = messages.map(({ role, content }) => (role === 'assistant' ? said(content) + close : filled(turn, content)));
    return filled(once, '') + turns.join('');
  };
  const stop = [...(fence === undefined ? [] : [`\n${fence}`]), ...(/\p{L}/u.test(heading) ? [`\n${heading}`] : [])];
  return { prompt, stop };
}

/** Where the last line of a text that holds a letter begins. */
function lastLineWithLetter(text: string): number {
  const lines = text.split('\n');
  let end = text.length;
  for (let line = lines.pop(); line !== undefined; line = lines.pop()) {
    const begin = end - line.length;
    if (/\p{L}/u.test(line)) return begin;
    end = begin - 1;
  }
  return 0;
}
