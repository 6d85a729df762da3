import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BoardPatch, BoardStorage } from '#core/nodes/board';
import type { BoardStep } from '#core/nodes/board-step';
import type { NodeOperation } from '#core/operations/operation';
import type { Site } from '#core/nodes/site';
import { PROCEDURES } from '#core/nodes/steps/all-procedures';
import { SshBoardConnector } from '#infra/boards/ssh-board-connector';
import { LocalTransport } from '#infra/slurm/local-transport';
import { SlurmCliController } from '#infra/slurm/slurm-cli-controller';
import { SlurmCliNodes } from '#infra/slurm/slurm-cli-nodes';
import { existing } from '../../fakes/existing.ts';
import { SITE } from '../../fakes/site.ts';
import {
  type Board,
  type BoardsLab,
  boardsDown,
  boardsUp,
  DISK_DEVICE,
} from '../../lab/boards/boards-lab.ts';
import {
  type SlurmForBoards,
  slurmForBoardsDown,
  slurmForBoardsUp,
} from '../../lab/boards/slurm-for-boards.ts';
import { TEST_LAB_DIRECTORY } from '../../lab/test-lab.ts';
import { type StepsOnBoards, stepsOnBoards } from './board-steps.ts';
import { Killed, KillingConnector } from './killing-connector.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-killed`;
const STEPS = PROCEDURES.enrol;
/** Whoever goes on looks again at all steps before: a few at a time save most of that. */
const STEPS_AT_ONCE = 5;
const STORAGE: BoardStorage = {
  ...{ disk: DISK_DEVICE, wipe: null, packageCache: true },
  partitions: [
    { label: 'shared', sizeMebibytes: 64, mountedAt: '/shared' },
    { label: 'spare', sizeMebibytes: null, mountedAt: null },
  ],
};

/** In every step that enrolment has. */
const KILLED_AT_LEAST = {
  ...{ 'sign-in': 3, network: 10, hosts: 2, hostname: 2, 'apt-proxy': 2 },
  ...{ time: 3, accounts: 1, 'memory-cgroup': 3 },
  ...{ 'node-exporter': 6, disk: 7, 'file-systems': 14, exports: 3, 'package-cache': 4, mounts: 3 },
  ...{ munge: 1, mpi: 2, slurmd: 7, 'smoke-test': 8 },
};

let lab: BoardsLab;
let walked: Board;
let slurm: SlurmForBoards;
let boards: StepsOnBoards;
const site: Site = { ...SITE, accounts: [{ name: 'ada', uid: 3001, gid: 3001 }] };
const connector = new KillingConnector(new SshBoardConnector(), () => boards.store);

beforeAll(async () => {
  await takeDown();
  const disk = { serial: 'WALKED' };
  lab = await boardsUp({ dir: DIRECTORY, boards: [{ name: 'walked', disk }], stocked: 'all' });
  slurm = await slurmForBoardsUp(lab);
  const { host, port, mungeKeyFile, binDir, slurmConf } = slurm;
  const mungeKey = async () => readFileSync(mungeKeyFile).toString('base64');
  Object.assign(site, { subnet: lab.subnet, aptProxy: lab.packageCacheUrl, slurm: { host, port, mungeKey } });
  const commands = { transport: new LocalTransport(), binDir, slurmConf };
  const ports = { nodes: new SlurmCliNodes(commands), jobs: new SlurmCliController(commands) };
  boards = stepsOnBoards({ site, connector, slurm: connector.mortalSlurm(ports) });
  walked = lab.board('walked');
});
afterAll(takeDown);

async function takeDown(): Promise<void> {
  await slurmForBoardsDown(DIRECTORY);
  await boardsDown(DIRECTORY);
}

async function on(board: Board, script: string, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await board.run(['sh', '-euc', script, 'sh', ...args]);
  expect(exitCode, `${script}: ${stderr}`).toBe(0);
  return stdout.trim();
}

const slurmSays = async (...argv: string[]) => (await slurm.run(argv)).stdout.trim();

const latest = async (name: string): Promise<NodeOperation> =>
  existing((await boards.store.operationsOf('node', name, 1))[0]);
const named = ({ steps }: NodeOperation, state: string) =>
  steps.filter((step) => step.state === state).map(({ name }) => name);
const done = { state: 'done', reason: null };

/** Whatever the worker was killed at, the next one goes on. */
async function survivors(
  name: string,
  steps: readonly BoardStep[],
  begun: Promise<NodeOperation>,
): Promise<NodeOperation> {
  let operation = begun;
  for (;;) {
    try {
      return await operation;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      operation = boards.goOn((await latest(name)).id, steps);
    }
  }
}

describe('a worker that is killed after every command of every step', () => {
  it('leaves a board that the next one brings to its end', async () => {
    const network = {
      ...{ address: walked.address, prefixLength: 24 },
      ...{ gateway: null, nameServers: [lab.bridgeAddress] },
    };
    connector.armed = true;
    const fields: BoardPatch = { roles: ['storage', 'compute'], storage: STORAGE, network };
    for (let first = 0; first < STEPS.length; first += STEPS_AT_ONCE) {
      const steps = STEPS.slice(first, first + STEPS_AT_ONCE);
      const begun = first === 0 ? boards.enrol(walked, 'node01', steps, fields) : boards.run('node01', steps);
      expect(await survivors('node01', steps, begun)).toMatchObject(done);
    }
    connector.armed = false;
    const kills = new Map<string, number>();
    for (const step of connector.kills) kills.set(step, (kills.get(step) ?? 0) + 1);
    expect([...kills.keys()]).toEqual(Object.keys(KILLED_AT_LEAST));
    for (const [step, times] of Object.entries(KILLED_AT_LEAST))
      expect(kills.get(step), step).toBeGreaterThanOrEqual(times);
  });

  it('has done nothing twice, and nothing by halves', async () => {
    const again = await boards.run('node01', STEPS);
    expect(named(again, 'unchanged')).toEqual(again.steps.map(({ name }) => name));
    const line = (await boards.managedKey()).publicKeyLine;
    const count = (path: string, text: string) => on(walked, 'grep -cF -- "$2" "$1" || true', path, text);
    expect(await count('/home/pi/.ssh/authorized_keys', line)).toBe('1');
    expect(await count('/etc/passwd', 'ada:x:3001:3001:')).toBe('1');
    expect(await count('/etc/group', 'ada:x:3001:')).toBe('1');
    for (const place of ['/shared', '/srv/shared', '/srv/spare'])
      expect(await on(walked, `awk -v at="$1" '$2 == at' /etc/fstab | wc -l`, place)).toBe('1');
    expect(await count('/etc/hosts', 'node01.home.lab')).toBe('1');
    expect(await on(walked, 'stat -c "%U %a" /home/ada')).toBe('ada 700');
    for (const place of ['/shared', '/srv/shared', '/srv/spare'])
      expect(await on(walked, 'findmnt --noheadings --output TARGET "$1" | wc -l', place)).toBe('1');
    expect(await on(walked, 'exportfs -s | wc -l')).toBe('1');
    expect(await on(walked, 'grep -o cgroup_enable=memory /boot/firmware/cmdline.txt | wc -l')).toBe('1');
    expect(await on(walked, 'find / -xdev -name "*bramble-new*"; ls /run/bramble 2> /dev/null || true')).toBe(
      '',
    );
    expect(await on(walked, 'dpkg --audit')).toBe('');
    expect(await on(walked, 'ls /var/tmp | grep smoke-test || true')).toBe('');
    expect(await slurmSays('sinfo', '--noheader', '--format=%N %t')).toBe('node01 idle');
    expect(await slurmSays('squeue', '--noheader', '--states=all', '--format=%T')).toBe('COMPLETED');
  });
});
