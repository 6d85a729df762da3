import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type {
  Board,
  BoardNetwork,
  Operation,
  BoardSignIn,
  BoardStorage,
  StoragePartition,
} from '../api-types.ts';
import { EXIT } from './exit-code.ts';
import { localTime } from './measures.ts';
import type { Session } from './session.ts';
import { showOperation } from './show-operation.ts';
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

/** What a board is to have: for enrolling, and for applying something else later. */
interface DesiredOptions {
  static?: string;
  gateway?: string;
  dns?: string[];
  partition?: StoragePartition[];
  disk?: string;
  wipe?: string;
  packageCache: boolean;
}

interface EnrollOptions extends SignInOptions, DesiredOptions {
  role: Role[];
  label?: string[];
  dryRun?: true;
  verbose?: true;
}

interface ApplyOptions extends SignInOptions, DesiredOptions {
  address?: string;
  replace?: true;
  verbose?: true;
}

interface OperateOptions {
  reason?: string;
  force?: true;
  verbose?: true;
}

const PASSWORD_VARIABLE = 'BRAMBLE_BOARD_PASSWORD';
const SIGN_IN = `
The password is taken from ${PASSWORD_VARIABLE}, never from the command line, which others can see. It is forgotten once
a key of Bramble's own is installed on the board.

Examples:
  bramble enroll node02 10.0.0.3 --role compute --host-key SHA256:…
  bramble enroll node01 10.0.0.2 --role storage --accept-first-host-key --private-key ~/.ssh/id_ed25519 \\
    --disk /dev/sda --wipe 0123456789AB --partition home:100G:/home/shared --partition scratch::/scratch
  bramble enroll node03 10.0.0.57 --role compute --host-key SHA256:… --static 10.0.0.4/24 --gateway 10.0.0.1 --dry-run`;

const VERBOSE = 'show what each step writes';
const PARTITION =
  'a partition of a storage board (repeatable): label, size such as 100G (left out: what is left), and where compute ' +
  'boards mount it (left out: nowhere)';
const NO_JOBS = 'do not wait for jobs that run there';
const FORCE = {
  drain: NO_JOBS,
  resume: NO_JOBS,
  reboot: NO_JOBS,
  decommission: 'do not wait for jobs, and do without a board that is gone',
} as const;
const OPERATIONS = [
  ['drain', 'let no more jobs start on a node'],
  ['resume', 'put a node into service again'],
  ['reboot', 'restart a board once its jobs have ended'],
  ['decommission', 'take a board out of the cluster'],
] as const;
/** The step whose output is the result of an enrolment: the ranks that have answered. */
const SHOWN_STEP = 'smoke-test';

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

  const desired = (command: Command): Command =>
    command
      .option('--static <address/length>', 'give the board this static address, such as 10.0.0.3/24')
      .option('--gateway <address>', 'gateway, with --static')
      .option('--dns <address>', 'name server, with --static (repeatable)', collect)
      .option('--partition <label:size:path>', PARTITION, collectPartition)
      .option('--disk <device>', 'disk that is partitioned, such as /dev/sda')
      .option('--wipe <serial>', 'serial number of that disk: everything on it may be destroyed')
      .option('--no-package-cache', 'serve no packages to the other boards');

  desired(
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
        .option('--label <key=value>', 'a label (repeatable)', collect)
        .option('--dry-run', 'only look, and show what would be done'),
    ),
  )
    .option('-v, --verbose', VERBOSE)
    .addHelpText('after', SIGN_IN)
    .action(async (name: string, address: string, options: EnrollOptions) => {
      const labels = Object.fromEntries((options.label ?? []).map((text) => pair('--label', text)));
      const enrolment = {
        name,
        address,
        roles: options.role,
        labels,
        network: readNetwork(options),
        storage: readStorage(options),
        signIn: await readSignIn(session, options),
      };
      const { boards } = session.client().admin;
      await show(session, await boards.enroll(enrolment, { dryRun: options.dryRun }), options);
    });

  desired(signIn(program.command('apply <name>').summary('enrol a board again: apply what differs')))
    .option('--address <address>', 'where the board is to be found now')
    .option(
      '--replace',
      'take another board under the same name; with a way to sign in, unless it has the old card',
    )
    .option('-v, --verbose', VERBOSE)
    .addHelpText('after', '\nA new way to sign in is only needed where the one of before does not do.')
    .action(async (name: string, options: ApplyOptions) => {
      const signs = options.hostKey !== undefined || options.acceptFirstHostKey === true;
      const again = signs ? await readSignIn(session, options) : undefined;
      const { address, replace } = options;
      const changes = { address, replace, network: readNetwork(options), storage: readStorage(options) };
      const { boards } = session.client().admin;
      await show(session, await boards.apply(name, { signIn: again, ...changes }), options);
    });

  program
    .command('check <name>')
    .summary('look whether a board is as it is to be, and change nothing')
    .option('-v, --verbose', VERBOSE)
    .action(async (name: string, options: { verbose?: true }) =>
      show(session, await session.client().admin.boards.check(name), options),
    );

  for (const [verb, summary] of OPERATIONS) {
    program
      .command(`${verb} <name>`)
      .summary(summary)
      .option('--reason <text>', 'why; Slurm shows it at a drained node')
      .option('--force', FORCE[verb])
      .option('-v, --verbose', VERBOSE)
      .action(async (name: string, { reason, force, verbose }: OperateOptions) => {
        const { boards } = session.client().admin;
        await show(session, await boards[verb](name, { reason, force }), { verbose });
      });
  }

  program
    .command('upgrade [name]')
    .summary(
      'upgrade the packages of a board, or of all with a role one after the other, once their jobs have ended',
    )
    .option('--role <role>', 'all boards with this role; stops at the first that fails')
    .option('--reason <text>', 'why; Slurm shows it at a drained node')
    .option('--force', NO_JOBS)
    .option('-v, --verbose', VERBOSE)
    .action(async (name: string | undefined, options: OperateOptions & { role?: string }) => {
      const { boards } = session.client().admin;
      const { reason, force, verbose } = options;
      for (const one of await boardsToUpgrade(session, name, options.role)) {
        await show(session, await boards.upgrade(one, { reason, force }), { verbose });
        if (session.exitCode !== EXIT.success) return;
      }
    });

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

async function boardsToUpgrade(
  session: Session,
  name: string | undefined,
  role: string | undefined,
): Promise<string[]> {
  if ((name === undefined) === (role === undefined)) throw new UsageError('Give a name, or "--role".');
  if (name !== undefined) return [name];
  const [wanted] = collectRole(role ?? '');
  const boards = await session.client().admin.boards.list();
  return boards
    .filter(({ roles }) => wanted !== undefined && roles.includes(wanted))
    .map((board) => board.name);
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

function readNetwork({ static: cidr, gateway, dns }: DesiredOptions): BoardNetwork | undefined {
  if (cidr === undefined) {
    if (gateway !== undefined || dns !== undefined)
      throw new UsageError('--gateway and --dns go with "--static".');
    return undefined;
  }
  const [, address, length] = /^([\d.]+)\/(\d{1,2})$/.exec(cidr) ?? [];
  if (address === undefined) throw new UsageError('--static must be an address and a length: 10.0.0.3/24.');
  return { address, prefixLength: Number(length), gateway, nameServers: dns };
}

function readStorage({ partition, disk, wipe, packageCache }: DesiredOptions): BoardStorage | undefined {
  if (partition !== undefined) return { disk, wipe, partitions: partition, packageCache };
  if (disk !== undefined) throw new UsageError('What is to be on the disk? Give "--partition".');
  return undefined;
}

const MEBIBYTES: Partial<Record<string, number>> = { M: 1, G: 1024, T: 1024 * 1024 };

function collectPartition(text: string, before: StoragePartition[] = []): StoragePartition[] {
  const [, label, size = '', unit = '', mountedAt = ''] =
    /^([^:]+)(?::(?:(\d+)([MGT]))?(?::(.*))?)?$/.exec(text) ?? [];
  if (label === undefined)
    throw new UsageError('--partition must be <label>:<size>:<path>: home:100G:/home/shared.');
  const sizeMebibytes = size === '' ? undefined : Number(size) * (MEBIBYTES[unit] ?? 1);
  return [...before, { label, sizeMebibytes, mountedAt: mountedAt === '' ? undefined : mountedAt }];
}

/** Prints how an operation on a board goes, and what its steps show where that is asked for. */
const show = (
  session: Session,
  begun: Operation,
  { verbose = false }: { verbose?: boolean | undefined } = {},
): Promise<void> => showOperation(session, begun, { shows: ({ step }) => verbose || step === SHOWN_STEP });

function collectRole(text: string, before: Role[] = []): Role[] {
  if (text !== 'storage' && text !== 'compute') throw new UsageError('--role must be storage or compute.');
  return before.includes(text) ? before : [...before, text];
}
