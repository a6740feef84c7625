import type { Choice, CompletedCommand } from './table.ts';

/** A script for fish, to be sourced, or to be written to `completions/nudging.fish` in its folder. */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const others = commands.map(({ name }) => name).filter((name) => name !== 'generate');
  const lines = commands.flatMap(({ name, summary, flags, words }) => {
    const seen = quoted(
      name === 'generate' ? `not __fish_seen_subcommand_from ${others.join(' ')}` : `__fish_seen_subcommand_from ${name}`,
    );
    const behind = `complete -c nudging -n ${seen}`;
    return [
      `complete -c nudging -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
      ...flags.map(({ name: flag, value, choice, about }) => {
        const takes = value === undefined ? '' : valueIn(choice);
        return `${behind} -l ${flag}${takes} -d ${quoted(about)}`;
      }),
      ...(words === undefined ? [] : [`${behind}${words === 'files' ? ' -F' : ` -a ${quoted(words.join(' '))}`}`]),
    ];
  });
  return `# Completion of nudging for fish.
complete -c nudging -f
${lines.join('\n')}
`;
}

function valueIn(choice: Choice): string {
  if (choice === 'files') return ' -r -F';
  return choice === undefined ? ' -x' : ` -x -a ${quoted(choice.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
