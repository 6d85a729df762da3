import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { Board, BoardOperation, BoardSignIn } from '../api-types.ts';
import { EXIT } from './exit-code.ts';
import { localTime } from './measures.ts';
import type { Session } from './session.ts';
import { pair } from './submission.ts';
import { collect, wholeNumber } from './submit-command.ts';
import { type Column, table } from './table.ts';
import { UsageError } from './usage-error.ts';

type Role = Board['roles'][number];

interface SignInOptions {
  user?: string;
  port?: number;
  privateKey?: string;
  hostKey?: string;
  acceptFirstHostKey?: true;
}

interface EnrollOptions extends SignInOptions {
  role: Role[];
  label?: string[];
}

const PASSWORD_VARIABLE = 'BRAMBLE_BOARD_PASSWORD';
const SIGN_IN = `
The password is taken from ${PASSWORD_VARIABLE}, never from the command line, which others can see. It is forgotten once
a key of Bramble's own is installed on the board.

Examples:
  bramble enroll node02 10.0.0.3 --role compute --host-key SHA256:…
  bramble enroll node01 10.0.0.2 --role storage --accept-first-host-key --private-key ~/.ssh/id_ed25519`;

const COLUMNS: readonly Column<Board>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'ADDRESS', value: ({ address }) => address },
  { title: 'ROLES', value: ({ roles }) => roles.join(',') },
  { title: 'MODEL', value: ({ facts }) => facts?.model ?? '' },
  { title: 'OS', value: ({ facts }) => facts?.os ?? '' },
  { title: 'SEEN', value: ({ factsAt }) => (factsAt === null ? 'never' : localTime(factsAt)) },
];

export function addBoardCommands(program: Command, session: Session): void {
  const signIn = (command: Command): Command =>
    command
      .option('--user <name>', 'account to sign in as; pi where left out')
      .option('--port <n>', 'port of sshd', wholeNumber)
      .option('--private-key <file>', 'sign in with this private key instead of a password')
      .option('--host-key <fingerprint>', 'host key of the board, SHA256:…')
      .option('--accept-first-host-key', 'take the host key that the board shows now, and pin it');

  signIn(
    program
      .command('enroll <name> <address>')
      .summary('make a board part of the cluster, and show how it goes')
      .addOption(
        new Option('--role <role>', 'what the board does: storage or compute (repeatable)')
          .choices(['storage', 'compute'])
          .argParser(collectRole)
          .makeOptionMandatory(),
      )
      .option('--label <key=value>', 'a label (repeatable)', collect),
  )
    .addHelpText('after', SIGN_IN)
    .action(async (name: string, address: string, options: EnrollOptions) => {
      const labels = Object.fromEntries((options.label ?? []).map((text) => pair('--label', text)));
      const enrolment = {
        name,
        address,
        roles: options.role,
        labels,
        signIn: await readSignIn(session, options),
      };
      await show(session, await session.client().admin.boards.enroll(enrolment));
    });

  signIn(program.command('apply <name>').summary('enrol a board again: apply what differs'))
    .addHelpText('after', '\nA new way to sign in is only needed where the one of before does not do.')
    .action(async (name: string, options: SignInOptions) => {
      const signs = options.hostKey !== undefined || options.acceptFirstHostKey === true;
      const again = signs ? await readSignIn(session, options) : undefined;
      await show(session, await session.client().admin.boards.apply(name, { signIn: again }));
    });

  program
    .command('check <name>')
    .summary('look whether a board is as it is to be, and change nothing')
    .action(async (name: string) => show(session, await session.client().admin.boards.check(name)));

  program
    .command('boards')
    .summary('list the boards that are enrolled')
    .action(async () => {
      const boards = await session.client().admin.boards.list();
      await session.print({ items: boards }, () => table(COLUMNS, boards));
    });

  program
    .command('forget <name>')
    .summary('forget a board; nothing is sent to it')
    .action(async (name: string) => {
      await session.client().admin.boards.forget(name);
      await session.tell(`bramble: ${name} is forgotten`);
    });
}

async function readSignIn(session: Session, options: SignInOptions): Promise<BoardSignIn> {
  const { user, port, privateKey: file, hostKey, acceptFirstHostKey } = options;
  if ((hostKey === undefined) === (acceptFirstHostKey === undefined)) {
    throw new UsageError('Give "--host-key", or "--accept-first-host-key" where it is not known.');
  }
  const common = { user, port, hostKey, acceptFirstHostKey };
  if (file !== undefined) return { ...common, privateKey: await readKey(file) };
  const password = session.terminal.environment[PASSWORD_VARIABLE];
  if (password === undefined || password === '') {
    throw new UsageError(`How to sign in? Set ${PASSWORD_VARIABLE}, or give "--private-key".`);
  }
  return { ...common, password };
}

async function readKey(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Prints each step once it has ended. Ctrl-C ends the watching, not the operation. */
async function show(session: Session, begun: BoardOperation): Promise<void> {
  const interrupted = new AbortController();
  const forget = session.terminal.onInterrupt(() => interrupted.abort());
  const told = new Set<string>();
  let last = begun;
  try {
    const { boards } = session.client().admin;
    for await (const operation of boards.watch(begun.id, { signal: interrupted.signal })) {
      last = operation;
      if (!session.json) await tellSteps(session, operation, told);
    }
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    session.exitCode = EXIT.interrupted;
    await session.tell(`bramble: it goes on as operation ${begun.id}`);
    return;
  } finally {
    forget();
  }
  if (session.json) await session.terminal.out(`${JSON.stringify(last, null, 2)}\n`);
  await session.tell(
    `bramble: ${last.node}: ${last.state}${last.reason === null ? '' : ` – ${last.reason.message}`}`,
  );
  if (last.state !== 'done') session.exitCode = EXIT.failure;
}

async function tellSteps(session: Session, { steps }: BoardOperation, told: Set<string>): Promise<void> {
  for (const { name, state, detail, endedAt } of steps) {
    if (endedAt === null || told.has(name)) continue;
    told.add(name);
    await session.terminal.out(`${name.padEnd(12)} ${state.padEnd(10)} ${detail ?? ''}\n`);
  }
}

function collectRole(text: string, before: Role[] = []): Role[] {
  if (text !== 'storage' && text !== 'compute') throw new UsageError('--role must be storage or compute.');
  return before.includes(text) ? before : [...before, text];
}
