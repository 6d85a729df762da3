import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Installation } from '../../e2e/installation.ts';
import { type Account, account, ensureLabAccounts, LAB_ACCOUNTS } from '../../lab/accounts.ts';
import { type Board, boardsDown, boardsUp } from '../../lab/boards/boards-lab.ts';
import {
  type SlurmForBoards,
  slurmForBoardsDown,
  slurmForBoardsUp,
} from '../../lab/boards/slurm-for-boards.ts';
import { defaultLabDirectory } from '../../lab/lab-directory.ts';
import { startBramble } from '../bench-installation.ts';
import { Cleanup } from '../cleanup.ts';
import { endLeftovers } from '../leftovers.ts';

/** Boards' lab of the benchmark's own, so that tests and demonstrations are left alone. */
export const BOARDS_DIRECTORY = `${defaultLabDirectory()}-bench-boards`;
const WORK_DIRECTORY = `${BOARDS_DIRECTORY}-work`;

/** Bare boards, a Slurm that they can join, and Bramble. */
export interface BenchCluster {
  /** Under the names that they are enrolled by. */
  boards: ReadonlyMap<string, Board>;
  subnet: string;
  slurm: SlurmForBoards;
  bramble: Installation;
  domain: string;
  /** The account that all boards have. */
  account: Account;
  /** For files of whoever measures; removed with the cluster. */
  workDirectory: string;
  end: () => Promise<void>;
}

const DOMAIN = 'bench.lab';
const NEVER_MS = 3_600_000;

/** Starts everything anew. Boards are looked at when the measurement says so, and not every half minute besides. */
export async function startCluster(
  count: number,
  cleanup: Cleanup,
  log: (line: string) => void,
): Promise<BenchCluster> {
  const own = new Cleanup();
  cleanup.add('The boards', () => own.run());
  await removeAll();
  own.add('The boards', removeAll);
  ensureLabAccounts();
  const lab = await boardsUp({ dir: BOARDS_DIRECTORY, boards: count, log });
  const slurm = await slurmForBoardsUp(lab, log);
  const storageDir = join(WORK_DIRECTORY, 'storage');
  mkdirSync(storageDir, { recursive: true, mode: 0o755 });
  const shared = account(LAB_ACCOUNTS.first);
  const bramble = await startBramble(
    { ...slurm, dir: WORK_DIRECTORY, storageDir, accounts: LAB_ACCOUNTS },
    own,
    {
      BRAMBLE_DOMAIN: DOMAIN,
      BRAMBLE_BOARD_ACCOUNTS: `${shared.name}:${shared.uid}:${shared.gid}`,
      BRAMBLE_BOARD_SUBNET: lab.subnet,
      BRAMBLE_BOARD_SLURM: `${slurm.host}:${slurm.port}`,
      BRAMBLE_BOARD_HEALTH_INTERVAL_MS: String(NEVER_MS),
      BRAMBLE_MUNGE_KEY_FILE: slurm.mungeKeyFile,
    },
  );
  return {
    boards: new Map(lab.boards.map((board, index) => [nodeName(index), board])),
    subnet: lab.subnet,
    slurm,
    bramble,
    domain: DOMAIN,
    account: shared,
    workDirectory: WORK_DIRECTORY,
    end: () => own.run(),
  };
}

const nodeName = (index: number): string => `node${String(index + 1).padStart(2, '0')}`;

async function removeAll(): Promise<void> {
  await endLeftovers(WORK_DIRECTORY);
  await slurmForBoardsDown(BOARDS_DIRECTORY);
  await boardsDown(BOARDS_DIRECTORY);
  rmSync(WORK_DIRECTORY, { recursive: true, force: true });
}
