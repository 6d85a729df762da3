import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { machineName } from '../../lab/boards/board-machine.ts';
import type { Board } from '../../lab/boards/boards-lab.ts';
import { boardsPaths } from '../../lab/boards/boards-directory.ts';
import { median } from '../statistics.ts';
import { BOARDS_DIRECTORY } from './bench-cluster.ts';

/** What a board has been put to, since some time in the past. */
export interface BoardLoad {
  /** SSH connections that were let in. */
  connections: number;
  /** Commands and file transfers over them; each is a way there and back at the least. */
  commands: number;
  networkBytes: number;
  cpuSeconds: number;
}

/** Has sshd write down each command that it runs. It is in the journal then, and no more of it than its user. */
export async function countCommands(board: Board): Promise<void> {
  const script =
    'echo "LogLevel VERBOSE" > /etc/ssh/sshd_config.d/bench.conf && systemctl reload ssh.service';
  const { exitCode, stderr } = await board.run(['sh', '-c', script]);
  if (exitCode !== 0) throw new Error(`${board.name}: ${stderr}`);
}

export async function boardLoad(board: Board): Promise<BoardLoad> {
  const [journal, network] = await Promise.all([
    board.run(['journalctl', '--identifier=sshd', '--output=cat', '--no-pager']),
    board.run(['cat', '/proc/net/dev']),
  ]);
  const [, received, sent] = /^\s*eth0:\s*(\d+)(?:\s+\d+){7}\s+(\d+)/m.exec(network.stdout) ?? [];
  return {
    connections: countOf(journal.stdout, /^Accepted publickey /gm),
    commands: countOf(journal.stdout, /^Starting session: /gm),
    networkBytes: Number(received) + Number(sent),
    cpuSeconds: cpuSeconds(machineName(boardsPaths(BOARDS_DIRECTORY), board.name)),
  };
}

/** What was added, in the middle of all boards. */
export function addedLoad(before: readonly BoardLoad[], after: readonly BoardLoad[]): BoardLoad {
  const middle = (pick: (load: BoardLoad) => number): number =>
    median(after.map((load, index) => pick(load) - pick(before[index] ?? load)));
  return {
    connections: middle(({ connections }) => connections),
    commands: middle(({ commands }) => commands),
    networkBytes: middle(({ networkBytes }) => networkBytes),
    cpuSeconds: middle((load) => load.cpuSeconds),
  };
}

const countOf = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

/** Of all that the board runs, by its cgroup of version 2, which counts it without any controller. */
function cpuSeconds(machine: string): number {
  for (const hierarchy of ['/sys/fs/cgroup/unified', '/sys/fs/cgroup']) {
    try {
      const stat = readFileSync(join(hierarchy, machine, 'cpu.stat'), 'utf8');
      return Number(/^usage_usec (\d+)$/m.exec(stat)?.[1]) / 1e6;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return NaN;
}
