import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Operation, type BoardSignIn, fileFrom } from '@bramble/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { account, ensureLabAccounts, LAB_ACCOUNTS } from '../lab/accounts.ts';
import { boardPaths, boardsPaths } from '../lab/boards/boards-directory.ts';
import { type BoardsLab, boardsDown, boardsUp } from '../lab/boards/boards-lab.ts';
import { type SlurmForBoards, slurmForBoardsDown, slurmForBoardsUp } from '../lab/boards/slurm-for-boards.ts';
import { TEST_LAB_DIRECTORY } from '../lab/test-lab.ts';
import { type Installation, startInstallation } from './installation.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-boards`;
const CLI = fileURLToPath(new URL('../../libs/sdk/bin/bramble.js', import.meta.url));
const PI = fileURLToPath(new URL('../../examples/pi.c', import.meta.url));
/** Packages are installed, on a machine that may have much else to do. */
const ENROLLED_WITHIN_MS = 500_000;

let lab: BoardsLab;
let slurm: SlurmForBoards;
let bramble: Installation;

beforeAll(async () => {
  await takeDown();
  ensureLabAccounts();
  lab = await boardsUp({
    dir: DIRECTORY,
    boards: [{ name: 'store' }, { name: 'one' }, { name: 'two' }],
    stocked: 'mpi',
  });
  slurm = await slurmForBoardsUp(lab);
  // The worker looks into the storage board's file system, which a real one would mount as compute boards do.
  const storageDir = join(boardPaths(boardsPaths(DIRECTORY), 'store').root, 'srv', 'shared');
  mkdirSync(storageDir, { recursive: true, mode: 0o755 });
  const { name, uid, gid } = account(LAB_ACCOUNTS.first);
  bramble = await startInstallation(
    { ...slurm, storageDir, accounts: LAB_ACCOUNTS },
    {
      BRAMBLE_STORAGE_ROOT: storageDir,
      BRAMBLE_STORAGE_CLUSTER_ROOT: '/shared',
      BRAMBLE_BOARD_ACCOUNTS: `${name}:${uid}:${gid}`,
      BRAMBLE_BOARD_SUBNET: lab.subnet,
      BRAMBLE_BOARD_SLURM: `${slurm.host}:${slurm.port}`,
      BRAMBLE_MUNGE_KEY_FILE: slurm.mungeKeyFile,
    },
  );
});
afterAll(async () => {
  await bramble.stop();
  await takeDown();
});

async function takeDown(): Promise<void> {
  await slurmForBoardsDown(DIRECTORY);
  await boardsDown(DIRECTORY);
}

const boards = () => bramble.admin.admin.boards;

async function ended(begun: Operation): Promise<Operation> {
  let last = begun;
  for await (const operation of boards().watch(begun.id)) last = operation;
  return last;
}
const stepsThat = ({ steps }: Operation, wanted: string) =>
  steps.filter(({ state }) => state === wanted).map(({ name }) => name);
const stateOf = async (name: string) =>
  (await slurm.run(['sinfo', '--noheader', '--nodes', name, '--format=%T'])).stdout.trim();

async function cli(argv: string[], password = ''): Promise<[number, string]> {
  const child = spawn(process.execPath, [CLI, ...argv], {
    env: {
      PATH: process.env.PATH,
      BRAMBLE_URL: bramble.apiUrl,
      BRAMBLE_API_KEY: bramble.adminKey,
      BRAMBLE_BOARD_PASSWORD: password,
    },
  });
  let written = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (written += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return [code, written];
}

const ENROLL_STORE = ['--role', 'storage', '--partition', 'shared::/shared', '--no-package-cache'];

describe('boards, from bare to running MPI', () => {
  it('are planned without being touched', async () => {
    const { address, password, hostKeyFingerprint: key } = lab.board('store');
    const argv = ['enroll', 'node01', address, ...ENROLL_STORE, '--host-key', key, '--dry-run'];
    const [code, written] = await cli(argv, password);
    expect([code, written]).toEqual([0, expect.stringMatching(/^exports +differs /m)]);
    expect(await boards().list()).toEqual([]);
    expect(await lab.board('store').run(['test', '-e', '/home/pi/.ssh'])).toMatchObject({ exitCode: 1 });
  });

  it('become storage', async () => {
    const { address, password, hostKeyFingerprint: key } = lab.board('store');
    const [code, written] = await cli(
      ['enroll', 'node01', address, ...ENROLL_STORE, '--host-key', key],
      password,
    );
    expect([code, written]).toEqual([0, expect.stringMatching(/^exports +applied /m)]);
    await expect(boards().get('node01')).resolves.toMatchObject({
      signIn: { user: 'pi', hostKey: key, managed: true },
      facts: { serial: lab.board('store').serial, os: 'debian 12' },
    });
    expect(`${bramble.worker.log()}${bramble.api.log()}${written}`).not.toContain(password);
  });

  it('are not sent a password where they show another host key, and say where it is wrong', async () => {
    const { address, password, hostKeyFingerprint } = lab.board('one');
    const hostKey = `SHA256:${'A'.repeat(43)}`;
    const changed = await ended(
      await boards().enroll({ name: 'node02', address, roles: ['compute'], signIn: { password, hostKey } }),
    );
    expect([changed.state, changed.reason?.code]).toEqual(['failed', 'sign-in']);
    expect(changed.reason?.message).toContain(hostKeyFingerprint);
    expect(changed.reason?.message).toContain(hostKey);
    const signIn: BoardSignIn = { password: 'wrong', hostKey: hostKeyFingerprint };
    const refused = await ended(await boards().apply('node02', { signIn }));
    expect([refused.state, refused.reason?.code]).toEqual(['failed', 'sign-in']);
  });

  it('become nodes that run MPI, although the worker is killed on the way', async () => {
    const { password, hostKeyFingerprint: hostKey } = lab.board('one');
    const first = await boards().apply('node02', { signIn: { password, hostKey } });
    const two = lab.board('two');
    const argv = ['enroll', 'node03', two.address, '--role', 'compute', '--host-key', two.hostKeyFingerprint];
    const second = cli(argv, two.password);
    const operation = async () =>
      (
        await boards()
          .operations('node03')
          .catch(() => [])
      )[0];
    for (const step of ['hostname', 'munge', 'slurmd']) {
      const reached = async () =>
        (await operation())?.steps.find(({ name }) => name === step)?.state ?? 'unknown';
      await expect
        .poll(reached, { timeout: ENROLLED_WITHIN_MS, interval: 100 })
        .toMatch(/^(applying|applied|unchanged)$/);
      await bramble.worker.kill();
      await bramble.worker.start();
    }
    const [code, written] = await second;
    expect([code, written]).toEqual([0, expect.stringMatching(/^ {2}rank \d of \d on node03/m)]);
    expect(await ended(first)).toMatchObject({ state: 'done', reason: null });
    expect([await stateOf('node02'), await stateOf('node03')]).toEqual(['idle', 'idle']);
  });

  it('run the jobs of users together', async () => {
    const job = await bramble.admin.jobs.submit({
      mpi: { source: await fileFrom(PI) },
      nodes: 2,
      tasksPerNode: 2,
    });
    const lines: string[] = [];
    for await (const { text } of job.logs({ follow: true })) lines.push(text);
    await expect(job.wait()).resolves.toMatchObject({ data: { state: 'completed' } });
    for (const name of ['node02', 'node03']) expect(lines.join('\n')).toContain(`on ${name}`);
  });

  it('are left alone the second time', async () => {
    const names = ['node01', 'node02', 'node03'];
    // The boards that came earlier are told of the later ones.
    const hosts = async () => lab.board('store').readFile('/etc/hosts');
    await expect.poll(hosts).toContain('node03.home.lab');
    const areQuiet = async () => {
      const latest = await Promise.all(names.map(async (name) => (await boards().operations(name))[0]));
      return latest.every((operation) => operation?.finished === true);
    };
    await expect.poll(areQuiet).toBe(true);
    for (const name of names) {
      const again = await ended(await boards().apply(name));
      expect([again.state, stepsThat(again, 'unchanged').length]).toEqual(['done', again.steps.length]);
    }
  });

  it('are found out where they differ, without being touched, and put right', async () => {
    await lab.board('one').run(['hostname', 'astray']);
    const [code, written] = await cli(['check', 'node02']);
    expect([code, written]).toEqual([0, expect.stringMatching(/hostname +differs +it is "astray" now/)]);
    expect((await lab.board('one').run(['hostname'])).stdout.trim()).toBe('astray');
    const drifted = await bramble.admin.nodes.get('node02');
    expect(drifted.board?.drift).toMatchObject({ state: 'drifted', steps: ['hostname'] });
    expect(stepsThat(await ended(await boards().apply('node02')), 'applied')).toEqual(['hostname']);
  });

  it('are drained, restarted and put into service again', async () => {
    expect((await cli(['drain', 'node02', '--reason', 'new fan']))[0]).toBe(0);
    expect(await stateOf('node02')).toBe('drained');
    const events = await bramble.admin.nodes.events('node02');
    expect(JSON.stringify(events)).toContain('drain');
    expect((await cli(['resume', 'node02']))[0]).toBe(0);
    expect(await stateOf('node02')).toBe('idle');

    const before = await lab.board('two').bootId();
    const [code, written] = await cli(['reboot', 'node03']);
    expect([code, written]).toEqual([0, expect.stringMatching(/resume +applied +in service again/)]);
    expect(await lab.board('two').bootId()).not.toBe(before);
    expect(await stateOf('node03')).toBe('idle');
  });

  it('are taken out again, and leave nothing behind', async () => {
    const used = await ended(await boards().decommission('node01'));
    expect(used.reason?.message).toMatch(/node02, node03 mount what it exports/);
    const { state, steps } = await ended(await boards().decommission('node03', { reason: 'sold' }));
    expect([state, steps.at(-1)]).toEqual([
      'done',
      expect.objectContaining({ name: 'key', state: 'applied' }),
    ]);
    expect((await slurm.run(['scontrol', 'show', 'node', 'node03'])).exitCode).not.toBe(0);
    await expect(boards().get('node03')).rejects.toThrow('node03');
    const left = await lab
      .board('two')
      .run([
        'sh',
        '-c',
        'cat /home/pi/.ssh/authorized_keys; ls /etc/munge; systemctl is-active slurmd munge',
      ]);
    expect(left.stdout.split('\n')).not.toContain('active');
    expect(left.stdout).not.toMatch(/bramble|munge\.key/);
    expect((await boards().operations('node03'))[0]).toMatchObject({ kind: 'decommission', state: 'done' });
  });
});
