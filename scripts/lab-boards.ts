import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Operation, Bramble, Enrolment } from '@bramble/sdk';
import { LAB_ACCOUNTS, account, ensureLabAccounts } from '../test/lab/accounts.ts';
import { boardPaths, boardsPaths, defaultBoardsDirectory } from '../test/lab/boards/boards-directory.ts';
import { boardsDown, boardsUp } from '../test/lab/boards/boards-lab.ts';
import type { Board, BoardArchitecture, BoardSettings, BoardsLab } from '../test/lab/boards/boards-lab.ts';
import { slurmForBoardsDown, slurmForBoardsUp } from '../test/lab/boards/slurm-for-boards.ts';
import type { SlurmForBoards } from '../test/lab/boards/slurm-for-boards.ts';
import { waitUntil } from '../test/lab/waiting.ts';
import { CHECKOUT, type Installation } from './installation.ts';
import { startServices, stopServices } from './services.ts';

// From four bare boards to an MPI job over three of them, through the SDK as an admin would use it. Repeated, it finds
// everything running, applies what differs, and submits the job again. With "arm64" the last board is an emulated one of
// that architecture, and runs an MPI job of its own. With "down" it removes all of it.

/** What the storage board offers, and what all runs of jobs lie in. */
const SHARED = { label: 'shared', at: '/shared' };
const STORAGE_BOARD = 'board1';
const NAMES = ['node01', 'node02', 'node03', 'node04'];
const EMULATED_BOARD = 'board4';

const DIRECTORY = defaultBoardsDirectory();
const step = (line: string) => console.log(`\n== ${line}`);
const note = (line: string) => console.log(`   ${line}`);

const command = process.argv[2];
if (command === 'down') await down();
else if (command === undefined || command === 'arm64') await up(command);
else {
  console.error('Usage: npm run lab:boards [-- arm64], npm run lab:boards:down');
  process.exitCode = 2;
}

async function up(architecture: BoardArchitecture | undefined): Promise<void> {
  const startedAt = Date.now();
  step('Four bare boards, and a slurmctld that knows no node');
  const lab = await boardsUp({ dir: DIRECTORY, boards: boardsWith(architecture), log: note });
  if (architecture !== undefined && lab.board(EMULATED_BOARD).architecture !== architecture)
    throw new Error(`The boards are up without one of ${architecture}: npm run lab:boards:down, and again`);
  const slurm = await slurmForBoardsUp(lab, note);

  step('The Bramble API and a worker, with an embedded PostgreSQL');
  const place = installation();
  const { apiUrl } = await startServices(place, settings(lab, slurm, place), note);
  const keyFile = join(place.home, 'admin.key');
  note(`ready at ${apiUrl}`);
  const { Bramble } = await import('@bramble/sdk');
  const bramble = new Bramble({ baseUrl: apiUrl, apiKey: readFileSync(keyFile, 'utf8').trim() });

  step('The storage board first, then the three compute boards at once');
  const enrolments = lab.boards.map((board, index) => enrolment(board, NAMES[index] ?? board.name));
  const isStorage = ({ roles }: Enrolment) => roles.includes('storage');
  for (const first of enrolments.filter(isStorage)) await see(bramble, first);
  await Promise.all(enrolments.filter((one) => !isStorage(one)).map((one) => see(bramble, one)));

  step('What Slurm says');
  const computeNodes = enrolments.filter((one) => !isStorage(one)).map(({ name }) => name);
  await waitUntil('all nodes to be idle', () => allIdle(slurm, computeNodes.length), { timeoutMs: 30_000 });
  const sinfo = await slurm.run(['sinfo', '--Node', '--format=%10N %8T %5c %8m %f']);
  note(sinfo.stdout.trim().split('\n').join('\n   '));

  // A program runs on the architecture that it was compiled on.
  const architectures = new Set(computeBoards(lab).map((board) => board.architecture));
  for (const one of architectures) await runPi(bramble, lab, one);

  console.log(`
Done in ${((Date.now() - startedAt) / 1000).toFixed(1)} s. Running now:
  API and Swagger UI   ${apiUrl}/docs
  API key (admin)      ${keyFile}
  logs                 ${place.logs}
Go on by hand:
  export BRAMBLE_URL=${apiUrl} BRAMBLE_API_KEY=$(cat ${keyFile})
  npx bramble boards
  SLURM_CONF=${slurm.slurmConf} sinfo --Node --long
${lab.boards.map((board, index) => `  ssh ${board.user}@${board.address}   # ${NAMES[index] ?? ''}, password ${board.password}`).join('\n')}
Stop it all, and remove it:
  npm run lab:boards:down
`);
}

function boardsWith(architecture: BoardArchitecture | undefined): BoardSettings[] {
  return NAMES.map((_, index) => {
    const name = `board${index + 1}`;
    return architecture !== undefined && name === EMULATED_BOARD ? { name, architecture } : { name };
  });
}

function computeBoards(lab: BoardsLab): Board[] {
  return lab.boards.filter(({ name }) => name !== STORAGE_BOARD);
}

function nameOf(lab: BoardsLab, board: Board): string {
  return NAMES[lab.boards.findIndex(({ name }) => name === board.name)] ?? board.name;
}

async function runPi(bramble: Bramble, lab: BoardsLab, architecture: BoardArchitecture): Promise<void> {
  const nodes = computeBoards(lab)
    .filter((board) => board.architecture === architecture)
    .map((board) => nameOf(lab, board));
  step(`An MPI job through the SDK: pi over ${nodes.length} boards of ${architecture} with 2 tasks each`);
  const { fileFrom } = await import('@bramble/sdk');
  const startedAt = Date.now();
  const job = await bramble.jobs.submit({
    name: 'pi',
    mpi: { source: await fileFrom(join(CHECKOUT, 'examples', 'pi.c')) },
    nodes: nodes.length,
    tasksPerNode: 2,
    constraint: architecture,
    timeLimit: '10m',
  });
  const lines: string[] = [];
  for await (const { text } of job.logs({ follow: true })) {
    lines.push(text);
    console.log(`   | ${text}`);
  }
  const done = await job.wait();
  const silent = nodes.filter((name) => !lines.some((line) => line.endsWith(`on ${name}`)));
  if (done.data.state !== 'completed' || silent.length > 0)
    throw new Error(
      `the job ended ${done.data.state}; no rank answered from ${silent.join(', ') || 'nowhere'}`,
    );
  note(`${done.data.state} after ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

async function down(): Promise<void> {
  const place = installation();
  const stopped = await stopServices(place);
  note(stopped.length === 0 ? 'Neither api nor worker was running' : `Stopped: ${stopped.join(', ')}`);
  const { stopEmbeddedDatabase } = await import('../libs/infra/src/database/embedded-database.ts');
  await stopEmbeddedDatabase(join(place.home, 'postgres'));
  rmSync(join(place.home, '..'), { recursive: true, force: true });
  await slurmForBoardsDown(DIRECTORY);
  await boardsDown(DIRECTORY, note);
}

/** Beside the boards, whose directory holds nothing that is not theirs. */
function installation(): Installation {
  const below = (name: string) => join(`${DIRECTORY}-bramble`, name);
  const { root } = boardPaths(boardsPaths(DIRECTORY), STORAGE_BOARD);
  return {
    home: below('home'),
    logs: below('logs'),
    // The worker looks into the board's file system; a real one mounts it as the compute boards do.
    storage: join(root, 'srv', SHARED.label),
    results: below('results'),
    stateFile: below('services.json'),
  };
}

function settings(lab: BoardsLab, slurm: SlurmForBoards, place: Installation): Record<string, string> {
  ensureLabAccounts();
  const { name, uid, gid } = account(LAB_ACCOUNTS.first);
  mkdirSync(place.storage, { recursive: true, mode: 0o755 });
  return {
    BRAMBLE_STORAGE_ROOT: place.storage,
    BRAMBLE_STORAGE_CLUSTER_ROOT: SHARED.at,
    BRAMBLE_ADMIN_ACCOUNT: name,
    BRAMBLE_BOARD_ACCOUNTS: `${name}:${uid}:${gid}`,
    BRAMBLE_BOARD_SUBNET: lab.subnet,
    BRAMBLE_BOARD_SLURM: `${slurm.host}:${slurm.port}`,
    BRAMBLE_MUNGE_KEY_FILE: slurm.mungeKeyFile,
    SLURM_CONF: slurm.slurmConf,
    SLURM_BIN_DIR: slurm.binDir,
  };
}

function enrolment(board: Board, name: string): Enrolment {
  const { address, password, hostKeyFingerprint: hostKey } = board;
  const isStorage = board.name === STORAGE_BOARD;
  return {
    ...{ name, address, roles: [isStorage ? 'storage' : 'compute'], signIn: { password, hostKey } },
    ...(isStorage && {
      storage: { packageCache: false, partitions: [{ label: SHARED.label, mountedAt: SHARED.at }] },
    }),
  };
}

/** Enrols a board, or applies what differs where it is enrolled, and shows each step when it has ended. */
async function see(bramble: Bramble, wanted: Enrolment): Promise<void> {
  const { boards } = bramble.admin;
  const isKnown = (await boards.list()).some(({ name }) => name === wanted.name);
  const begun = isKnown ? await boards.apply(wanted.name) : await boards.enroll(wanted);
  const shown = new Set<string>();
  let last: Operation = begun;
  for await (const operation of boards.watch(begun.id)) {
    last = operation;
    for (const { name, state, detail, startedAt, endedAt } of operation.steps) {
      if (endedAt === null || startedAt === null || shown.has(name)) continue;
      shown.add(name);
      const seconds = ((Date.parse(endedAt) - Date.parse(startedAt)) / 1000).toFixed(1);
      note(`${wanted.name}  ${name.padEnd(16)} ${state.padEnd(9)} ${seconds.padStart(6)} s  ${detail ?? ''}`);
    }
  }
  if (last.state !== 'done') throw new Error(`${wanted.name}: ${last.reason?.message ?? last.state}`);
}

async function allIdle(slurm: SlurmForBoards, count: number): Promise<boolean> {
  const { stdout } = await slurm.run(['sinfo', '--noheader', '--Node', '--format=%T']);
  const states = stdout.trim().split('\n');
  return states.length === count && states.every((state) => state === 'idle');
}
