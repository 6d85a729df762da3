import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { BoardOperation, BoardSignIn } from '@bramble/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BoardsLab, boardsDown, boardsUp } from '../lab/boards/boards-lab.ts';
import { labUp } from '../lab/slurm-lab.ts';
import { TEST_LAB_DIRECTORY } from '../lab/test-lab.ts';
import { type Installation, startInstallation } from './installation.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-boards`;
const CLI = fileURLToPath(new URL('../../libs/sdk/bin/bramble.js', import.meta.url));

let lab: BoardsLab;
let bramble: Installation;

beforeAll(async () => {
  lab = await boardsUp({ dir: DIRECTORY, boards: 2 });
  bramble = await startInstallation(await labUp());
}, 600_000);
afterAll(async () => {
  await boardsDown(DIRECTORY);
  await bramble.stop();
}, 120_000);

const boards = () => bramble.admin.admin.boards;
const virtual = (index: number) => {
  const board = lab.boards[index];
  if (board === undefined) throw new Error('the lab has no such board');
  return board;
};

async function ended(begun: BoardOperation): Promise<BoardOperation> {
  let last = begun;
  for await (const operation of boards().watch(begun.id)) last = operation;
  return last;
}
const states = ({ steps }: BoardOperation) => steps.map(({ name, state }) => `${name}: ${state}`);
const hostname = async (index: number) => (await virtual(index).run(['hostname'])).stdout.trim();

async function cli(argv: string[], environment: Record<string, string> = {}): Promise<[number, string]> {
  const child = spawn(process.execPath, [CLI, ...argv], {
    env: {
      PATH: process.env.PATH,
      BRAMBLE_URL: bramble.apiUrl,
      BRAMBLE_API_KEY: bramble.adminKey,
      ...environment,
    },
  });
  let written = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (written += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return [code, written];
}

const ALL_APPLIED = ['sign-in: applied', 'facts: unchanged', 'hosts: applied', 'hostname: applied'];
const NOTHING_APPLIED = ['sign-in: unchanged', 'facts: unchanged', 'hosts: unchanged', 'hostname: unchanged'];

describe('enrolling a board', () => {
  it('that is bare makes it what it is to be, and a second time changes nothing', async () => {
    const { address, password, hostKeyFingerprint, serial } = virtual(0);
    const [code, written] = await cli(
      ['enroll', 'node02', address, '--role', 'compute', '--host-key', hostKeyFingerprint],
      { BRAMBLE_BOARD_PASSWORD: password },
    );
    expect([code, written]).toEqual([
      0,
      expect.stringMatching(/^sign-in .*applied(.|\n)*hostname .*node02\n/),
    ]);
    expect(await hostname(0)).toBe('node02');
    expect(await virtual(0).readFile('/etc/hosts')).toContain(`${address}\tnode02.home.lab node02`);
    await expect(boards().get('node02')).resolves.toMatchObject({
      signIn: { user: 'pi', hostKey: hostKeyFingerprint, managed: true },
      facts: { serial, os: 'debian 12', hostname: 'raspberrypi' },
    });
    expect(states(await ended(await boards().apply('node02')))).toEqual(NOTHING_APPLIED);
    expect(`${bramble.worker.log()}${bramble.api.log()}${written}`).not.toContain(password);
  });

  it('refuses another host key and a wrong password, and goes on with the right ones', async () => {
    const { address, password, hostKeyFingerprint } = virtual(1);
    const hostKey = `SHA256:${'A'.repeat(43)}`;
    const changed = await ended(
      await boards().enroll({ name: 'node03', address, roles: ['compute'], signIn: { password, hostKey } }),
    );
    expect([changed.state, changed.reason?.code]).toEqual(['failed', 'sign-in']);
    expect(changed.reason?.message).toContain(hostKeyFingerprint);
    expect(changed.reason?.message).toContain(hostKey);

    const apply = async (signIn: BoardSignIn) => ended(await boards().apply('node03', { signIn }));
    const refused = await apply({ password: 'wrong', acceptFirstHostKey: true });
    expect([refused.state, refused.reason?.code]).toEqual(['failed', 'sign-in']);
    expect(states(await apply({ password, acceptFirstHostKey: true }))).toEqual(ALL_APPLIED);
    expect((await boards().get('node03')).signIn.hostKey).toBe(hostKeyFingerprint);
  });

  it('finds out what differs without touching it', async () => {
    await virtual(0).run(['hostname', 'astray']);
    const [code, written] = await cli(['check', 'node02']);
    expect([code, written]).toEqual([0, expect.stringMatching(/hostname +differs +it is "astray" now/)]);
    expect(await hostname(0)).toBe('astray');
    expect(states(await ended(await boards().apply('node02')))).toContain('hostname: applied');
  });

  it('goes on where the worker was killed, and where the board was away', async () => {
    await virtual(0).run(['hostname', 'astray']);
    await virtual(0).cutNetwork();
    const begun = await boards().apply('node02');
    const state = async () => (await boards().operations('node02'))[0]?.state;
    await expect.poll(state, { timeout: 10_000 }).toBe('running');
    await bramble.worker.kill();
    await virtual(0).restoreNetwork();
    await bramble.worker.start();
    expect(states(await ended(begun)).at(-1)).toBe('hostname: applied');
    expect(await hostname(0)).toBe('node02');
  });
});
