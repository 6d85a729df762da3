import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LAB_ACCOUNTS, account, ensureLabAccounts } from '../test/lab/accounts.ts';
import { boardPaths, boardsPaths, defaultBoardsDirectory } from '../test/lab/boards/boards-directory.ts';
import { boardsDown, boardsUp } from '../test/lab/boards/boards-lab.ts';
import type { Board, BoardArchitecture, BoardSettings, BoardsLab } from '../test/lab/boards/boards-lab.ts';
import { slurmForBoardsDown, slurmForBoardsUp } from '../test/lab/boards/slurm-for-boards.ts';
import type { SlurmForBoards } from '../test/lab/boards/slurm-for-boards.ts';
import { waitUntil } from '../test/lab/waiting.ts';
import { computePi, enrol, enrolmentOf } from './board-demonstration.ts';
import type { Installation } from './installation.ts';
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

async function up(emulated: BoardArchitecture | undefined): Promise<void> {
  const startedAt = Date.now();
  step('Four bare boards, and a slurmctld that knows no node');
  const lab = await boardsUp({ dir: DIRECTORY, boards: boardsWith(emulated), log: note });
  if (emulated !== undefined && lab.board(EMULATED_BOARD).architecture !== emulated)
    throw new Error(`The boards are up without one of ${emulated}: npm run lab:boards:down, and again`);
  const slurm = await slurmForBoardsUp(lab, note);

  step('The Bramble API and a worker, with an embedded PostgreSQL');
  const place = installation();
  const { apiUrl } = await startServices(place, settings(lab, slurm, place), note);
  const keyFile = join(place.home, 'admin.key');
  note(`ready at ${apiUrl}`);
  const { Bramble } = await import('@bramble/sdk');
  const bramble = new Bramble({ baseUrl: apiUrl, apiKey: readFileSync(keyFile, 'utf8').trim() });

  step('The storage board first, then the three compute boards at once');
  const storage = enrolmentOf(lab.board(STORAGE_BOARD), nameOf(lab, lab.board(STORAGE_BOARD)), SHARED);
  await enrol(bramble, storage, note);
  const compute = computeBoards(lab).map((board) => enrolmentOf(board, nameOf(lab, board)));
  await Promise.all(compute.map((one) => enrol(bramble, one, note)));

  step('What Slurm says');
  await waitUntil('all nodes to be idle', () => allIdle(slurm, compute.length), { timeoutMs: 30_000 });
  const sinfo = await slurm.run(['sinfo', '--Node', '--format=%10N %8T %5c %8m %f']);
  note(sinfo.stdout.trim().split('\n').join('\n   '));

  // A program runs on the architecture that it was compiled on.
  const architectures = new Set(computeBoards(lab).map((board) => board.architecture));
  for (const architecture of architectures) {
    const nodes = computeBoards(lab)
      .filter((board) => board.architecture === architecture)
      .map((board) => nameOf(lab, board));
    step(`An MPI job through the SDK: pi over ${nodes.length} boards of ${architecture} with 2 tasks each`);
    await computePi(bramble, nodes, note, architecture);
  }

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

async function allIdle(slurm: SlurmForBoards, count: number): Promise<boolean> {
  const { stdout } = await slurm.run(['sinfo', '--noheader', '--Node', '--format=%T']);
  const states = stdout.trim().split('\n');
  return states.length === count && states.every((state) => state === 'idle');
}
