import type { Choice, CompletedCommand } from './table.ts';

/** A script for bash 3.2 and later, to be sourced. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name);
  const values = commands.flatMap(({ name, flags }) =>
    flags.filter(({ value }) => value !== undefined).map((flag) => `    '${name} --${flag.name}') ${answer(flag.choice)}; return ;;`),
  );
  const flags = commands.map(({ name, flags: own }) => `      ${name}) words='${own.map((flag) => `--${flag.name}`).join(' ')}' ;;`);
  const others = commands.flatMap(({ name, words }) => (words === undefined ? [] : [`    ${name}) ${answer(words)} ;;`]));
  return `# Completion of nudging for bash: source it, or write it to a file in which your bash looks for completions.
_nudging() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command=generate words=
  COMPREPLY=()
  case "\${COMP_WORDS[1]}" in
    ${names.join('|')}) [ "$COMP_CWORD" -gt 1 ] && command=\${COMP_WORDS[1]} ;;
  esac
  case "$command $before" in
${values.join('\n')}
  esac
  if [[ "$word" == -* ]]; then
    case "$command" in
${flags.join('\n')}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    return
  fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${names.join(' ')}' -- "$word"))
    return
  fi
  case "$command" in
${others.join('\n')}
    *) compopt +o default 2>/dev/null ;;
  esac
}
complete -o default -F _nudging nudging
`;
}

/** Where nothing is answered, bash completes paths by itself (\`complete -o default\`). */
function answer(choice: Choice): string {
  if (choice === 'files') return ':';
  return choice === undefined ? 'compopt +o default 2>/dev/null' : `COMPREPLY=($(compgen -W '${choice.join(' ')}' -- "$word"))`;
}
