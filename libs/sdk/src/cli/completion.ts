import { Argument, type Command } from 'commander';
import type { Session } from './session.ts';

interface Completable {
  name: string;
  summary: string;
  /** Of the command, and of all commands below it. */
  options: { long: string; short: string | undefined; description: string }[];
  below: { name: string; summary: string }[];
}

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

const HOW_TO = `
Examples:
  source <(bramble completion bash)      in ~/.bashrc
  source <(bramble completion zsh)       in ~/.zshrc
  bramble completion fish | source       in ~/.config/fish/config.fish`;

export function addCompletionCommand(program: Command, session: Session): void {
  program
    .command('completion')
    .summary('print what a shell needs to complete commands and options')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', HOW_TO)
    .action((shell: Shell) => session.terminal.out(WRITERS[shell](completables(program))));
}

function completables(program: Command): Completable[] {
  return program.commands.map((command) => ({
    name: command.name(),
    summary: command.summary(),
    options: [command, ...command.commands, program]
      .flatMap(({ options }) => options)
      .flatMap(({ long, short, description }) =>
        typeof long === 'string' ? [{ long, short, description }] : [],
      )
      .filter(({ long }, index, all) => all.findIndex((other) => other.long === long) === index),
    below: command.commands.map((one) => ({ name: one.name(), summary: one.summary() })),
  }));
}

const WRITERS: Record<Shell, (commands: readonly Completable[]) => string> = {
  bash: (commands) => `_bramble() {
  local word="\${COMP_WORDS[COMP_CWORD]}" command="\${COMP_WORDS[1]}" options="" below=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${namesOf(commands)}" -- "$word"))
    return
  fi
  case "$command" in
${commands.map(({ name, options, below }) => `    ${name}) options="${options.map(({ long }) => long).join(' ')}" below="${namesOf(below)}" ;;`).join('\n')}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *) [ "$COMP_CWORD" -ne 2 ] || COMPREPLY=($(compgen -W "$below" -- "$word")) ;;
  esac
}
complete -o default -F _bramble bramble
`,
  zsh: (commands) => `_bramble() {
  if (( CURRENT == 2 )); then
    local -a commands=(
${commands.map(({ name, summary }) => `      ${quote(`${name}:${summary}`)}`).join('\n')}
    )
    _describe command commands
    return
  fi
  case "$words[2]" in
${commands.map(({ name, options, below }) => `    ${name}) _arguments ${below.length === 0 ? '' : `${quote(`2:command:(${namesOf(below)})`)} `}${options.map(({ long, description }) => quote(`${long}[${description.replace(/[[\]:]/g, '')}]`)).join(' ')} '*:file:_files' ;;`).join('\n')}
  esac
}
compdef _bramble bramble
`,
  fish: (commands) =>
    commands
      .flatMap(({ name, summary, options, below }) => [
        `complete -c bramble -n __fish_use_subcommand -a ${name} -d ${quote(summary)}`,
        ...below.map(
          (one) =>
            `complete -c bramble -n '__fish_seen_subcommand_from ${name}; and not __fish_seen_subcommand_from ${namesOf(below)}' -a ${one.name} -d ${quote(one.summary)}`,
        ),
        ...options.map(
          ({ long, description }) =>
            `complete -c bramble -n '__fish_seen_subcommand_from ${name}' -l ${long.slice(2)} -d ${quote(description)}`,
        ),
      ])
      .join('\n') + '\n',
};

const namesOf = (commands: readonly { name: string }[]): string => commands.map(({ name }) => name).join(' ');

const quote = (text: string): string => `'${text.replaceAll("'", '’')}'`;
