import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BoardStorage } from '#core/nodes/board';
import type { Operation } from '#core/nodes/operation';
import type { Site } from '#core/nodes/site';
import { PROCEDURES } from '#core/nodes/steps/all-procedures';
import { SshBoardConnector } from '#infra/boards/ssh-board-connector';
import { existing } from '../../fakes/existing.ts';
import { SITE } from '../../fakes/site.ts';
import { type Board, type BoardsLab, boardsDown, boardsUp } from '../../lab/boards/boards-lab.ts';
import { TEST_LAB_DIRECTORY } from '../../lab/test-lab.ts';
import { type StepsOnBoards, stepsOnBoards } from './board-steps.ts';
import { Killed, KillingConnector } from './killing-connector.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-killed`;
const ENDED_WITHIN_MS = 600_000;
const STEPS = PROCEDURES.enrol;
const STORAGE: BoardStorage = {
  ...{ disk: null, wipe: null, packageCache: true },
  partitions: [{ label: 'shared', sizeMebibytes: null, mountedAt: '/shared' }],
};

let lab: BoardsLab;
let walked: Board;
const site: Site = { ...SITE, accounts: [{ name: 'ada', uid: 3001, gid: 3001 }] };
const connector = new KillingConnector(new SshBoardConnector(), () => boards.store);
const boards: StepsOnBoards = stepsOnBoards({ site, connector });

beforeAll(async () => {
  await boardsDown(DIRECTORY);
  lab = await boardsUp({ dir: DIRECTORY, boards: [{ name: 'walked' }], stocked: 'all' });
  site.subnet = lab.subnet;
  walked = lab.board('walked');
}, 600_000);
afterAll(() => boardsDown(DIRECTORY), 120_000);

async function on(board: Board, script: string, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await board.run(['sh', '-euc', script, 'sh', ...args]);
  expect(exitCode, `${script}: ${stderr}`).toBe(0);
  return stdout.trim();
}

const latest = async (name: string): Promise<Operation> =>
  existing((await boards.store.operationsOf(name, 1))[0]);
const named = ({ steps }: Operation, state: string) =>
  steps.filter((step) => step.state === state).map(({ name }) => name);
const done = { state: 'done', reason: null };

/** Whatever the worker was killed at, the next one goes on. */
async function survivors(name: string, begun: Promise<Operation>): Promise<Operation> {
  let operation = begun;
  for (;;) {
    try {
      return await operation;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      operation = boards.goOn((await latest(name)).id, STEPS);
    }
  }
}

describe('a worker that is killed after every command of every step', { timeout: ENDED_WITHIN_MS }, () => {
  it('leaves a board that the next one brings to its end', async () => {
    const network = {
      ...{ address: walked.address, prefixLength: 24 },
      ...{ gateway: null, nameServers: [lab.bridgeAddress] },
    };
    connector.armed = true;
    const operation = await survivors(
      'node01',
      boards.enrol(walked, 'node01', STEPS, {
        roles: ['storage', 'compute'],
        storage: STORAGE,
        network,
      }),
    );
    connector.armed = false;
    expect(operation).toMatchObject(done);
    const killed = [...new Set(connector.kills.map((kill) => kill.split(' ')[0]))];
    expect(killed).toEqual([
      ...['sign-in', 'network', 'hosts', 'hostname', 'time', 'accounts', 'memory-cgroup'],
      ...['node-exporter', 'file-systems', 'exports', 'package-cache', 'mounts', 'mpi'],
    ]);
  });

  it('has done nothing twice, and nothing by halves', async () => {
    const again = await boards.run('node01', STEPS);
    expect(named(again, 'unchanged')).toEqual(again.steps.map(({ name }) => name));
    const line = (await boards.managedKey()).publicKeyLine;
    const count = (path: string, text: string) => on(walked, 'grep -cF -- "$2" "$1" || true', path, text);
    expect(await count('/home/pi/.ssh/authorized_keys', line)).toBe('1');
    expect(await count('/etc/passwd', 'ada:x:3001:3001:')).toBe('1');
    expect(await count('/etc/group', 'ada:x:3001:')).toBe('1');
    expect(await on(walked, `awk '$2 == "/shared"' /etc/fstab | wc -l`)).toBe('1');
    expect(await count('/etc/hosts', 'node01.home.lab')).toBe('1');
    expect(await on(walked, 'stat -c "%U %a" /home/ada')).toBe('ada 700');
    expect(await on(walked, 'findmnt --noheadings --output TARGET /shared | sort | uniq -c | wc -l')).toBe(
      '1',
    );
    expect(await on(walked, 'grep -o cgroup_enable=memory /boot/firmware/cmdline.txt | wc -l')).toBe('1');
    expect(await on(walked, 'find / -xdev -name "*bramble-new*"; ls /run/bramble 2> /dev/null || true')).toBe(
      '',
    );
    expect(await on(walked, 'dpkg --audit')).toBe('');
  });
});
