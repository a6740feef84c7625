import type { Choice, CompletedCommand, CompletedFlag } from './table.ts';

/** A script for zsh, to be sourced behind compinit, or to be written to a file `_nudging` in a folder of its fpath. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name, summary }) => `    ${quoted(`${name}:${escaped(summary)}`)}`);
  const cases = commands.map((command) => `    ${command.name})\n${argumentsOf(command)}\n      ;;`);
  const generate = commands.find(({ name }) => name === 'generate');
  return `#compdef nudging
# Completion of nudging for zsh.
_nudging() {
  local -a commands
  local context state line
  commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )) && [[ \${words[2]} != -* ]]; then
    _describe command commands
    return
  fi
  local command=\${words[2]}
  # Behind a command, its name counts as the program's.
  if [[ -n \${commands[(r)$command:*]} ]]; then shift words; (( CURRENT-- )); fi
  case $command in
${cases.join('\n')}
    *)
${generate ? argumentsOf(generate) : '      _default'}
      ;;
  esac
}
if [ "\${funcstack[1]}" = _nudging ]; then _nudging "$@"; else compdef _nudging nudging; fi
`;
}

function argumentsOf({ flags, words }: CompletedCommand): string {
  // Of a text nothing is known, and a state that nobody asks for completes nothing.
  const rest = [quoted(words === undefined ? '*:text:->text' : `*:word:${action(words)}`)];
  return `      _arguments ${[...flags.map(flagOf), ...rest].join(' \\\n        ')}`;
}

function flagOf({ name, about, value, choice }: CompletedFlag): string {
  return quoted(`*--${name}[${escaped(about)}]${value === undefined ? '' : `:${escaped(value)}:${action(choice)}`}`);
}

function action(choice: Choice): string {
  if (choice === 'files') return '_files';
  return choice === undefined ? ' ' : `(${choice.join(' ')})`;
}

/** What would end a description. */
function escaped(text: string): string {
  return text.replace(/[\\[\]:]/g, (character) => `\\${character}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
