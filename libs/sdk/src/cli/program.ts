import { createRequire } from 'node:module';
import { Command } from 'commander';
import { addBoardCommands } from './board-commands.ts';
import { addClusterCommands } from './cluster-commands.ts';
import { addCompletionCommand } from './completion.ts';
import { addDiscoverCommand } from './discover-command.ts';
import { addJobCommands } from './job-commands.ts';
import { addNamespaceCommands } from './namespace-commands.ts';
import { addNodeCommands } from './node-commands.ts';
import { addServiceCommands } from './service-commands.ts';
import type { GlobalOptions, Session } from './session.ts';
import { addSubmitCommand } from './submit-command.ts';
import { UsageError } from './usage-error.ts';

const EXAMPLES = `
The environment:
  BRAMBLE_URL       where the API is, such as http://pi-head:8080
  BRAMBLE_API_KEY   the API key; it is never taken from the command line, which others can see

Examples:
  bramble submit pi.c --nodes 4 --tasks-per-node 4 --follow
  bramble jobs --state running
  bramble logs -f job_…`;

/** The commands, ready to be parsed. Nothing of it writes to, or ends, the process. */
export function buildProgram(session: Session): Command {
  const program = new Command('bramble')
    .description('Run jobs on a Raspberry Pi cluster.')
    .version(packageVersion(), '--version')
    .option('--json', 'print JSON')
    .option('--url <url>', 'where the API is; otherwise BRAMBLE_URL')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help tells more)')
    .addHelpText('after', EXAMPLES)
    .hook('preAction', (root, command) => {
      session.configure(root.opts<GlobalOptions>());
      if (session.rest !== undefined && command.name() !== 'submit') {
        throw new UsageError(`"${command.name()}" takes nothing behind "--".`);
      }
    });
  addSubmitCommand(program, session);
  addJobCommands(program, session);
  addNodeCommands(program, session);
  addClusterCommands(program, session);
  addNamespaceCommands(program, session);
  addBoardCommands(program, session);
  addDiscoverCommand(program, session);
  addServiceCommands(program, session);
  addCompletionCommand(program, session);
  return program;
}

function packageVersion(): string {
  const { version } = createRequire(import.meta.url)('@bramble/sdk/package.json') as { version: string };
  return version;
}
