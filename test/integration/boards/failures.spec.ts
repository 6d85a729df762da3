import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BoardStep, differs, right } from '#core/nodes/board-step';
import type { NodeOperation } from '#core/operations/operation';
import { installPackages, packagesProbe, parsePackages } from '#core/nodes/packages';
import { sealSignIn } from '#core/nodes/sealed-sign-in';
import type { Site } from '#core/nodes/site';
import { PROCEDURES } from '#core/nodes/steps/all-procedures';
import { existing } from '../../fakes/existing.ts';
import { plainSecretBox } from '../../fakes/plain-secret-box.ts';
import { SITE } from '../../fakes/site.ts';
import { type Board, type BoardsLab, boardsDown, boardsUp } from '../../lab/boards/boards-lab.ts';
import { TEST_LAB_DIRECTORY } from '../../lab/test-lab.ts';
import { stepsOnBoards } from './board-steps.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-failures`;
/** Packages are installed, on a machine that may have much else to do. */
const INSTALLED_WITHIN_MS = 500_000;
/** MPI takes the longest to install, and is applied like any other step. */
const STEPS = PROCEDURES.enrol.filter(({ name }) => name !== 'mpi');
/** A part of what MPI needs, in place of all of it. */
const COMPILER: BoardStep = {
  ...{ name: 'compiler', title: 'compiler', roles: null, probe: () => packagesProbe(['cpp-12']) },
  check: (seen) => (parsePackages(seen).get('cpp-12') === null ? differs('not there') : right('there')),
  apply: async (context) => {
    await installPackages(context, ['cpp-12']);
    return 'installed';
  },
};
const HOST_KEY = '/etc/ssh/ssh_host_ed25519_key';

let lab: BoardsLab;
let shaken: Board;
const site: Site = { ...SITE, accounts: [{ name: 'ada', uid: 3001, gid: 3001 }] };
const boards = stepsOnBoards({ site });

beforeAll(async () => {
  await boardsDown(DIRECTORY);
  lab = await boardsUp({ dir: DIRECTORY, boards: [{ name: 'shaken' }] });
  site.subnet = lab.subnet;
  shaken = lab.board('shaken');
});
afterAll(() => boardsDown(DIRECTORY));

async function on(board: Board, script: string, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await board.run(['sh', '-euc', script, 'sh', ...args]);
  expect(exitCode, `${script}: ${stderr}`).toBe(0);
  return stdout.trim();
}

const latest = async (name: string): Promise<NodeOperation> =>
  existing((await boards.store.operationsOf('node', name, 1))[0]);
/** Waits until an operation is at a step, and no longer than the operation lasts. */
async function untilApplying(ended: Promise<NodeOperation>, name: string, step: string): Promise<void> {
  const tooEarly = ended.then(({ state, reason }) => {
    throw new Error(`ended before ${step}: ${reason?.message ?? state}`);
  });
  const applying = expect
    .poll(async () => (await latest(name)).steps.find((one) => one.name === step)?.state, {
      timeout: INSTALLED_WITHIN_MS,
    })
    .toBe('applying');
  await Promise.race([tooEarly, applying]);
}
const named = ({ steps }: NodeOperation, state: string) =>
  steps.filter((step) => step.state === state).map(({ name }) => name);
const done = { state: 'done', reason: null };

describe('a board that goes on after a failure', () => {
  it('is refused with a system that is not known, before anything is changed', async () => {
    const release = await shaken.readFile('/usr/lib/os-release');
    await on(shaken, 'sed -i s/^ID=.*/ID=ubuntu/ /usr/lib/os-release; touch /root/before');
    const refused = await boards.enrol(shaken, 'node02', STEPS);
    await on(
      shaken,
      'printf %s "$1" > /usr/lib/os-release; touch -r /root/before /usr/lib/os-release',
      release,
    );
    expect(refused).toMatchObject({ state: 'failed', reason: { code: 'facts' } });
    expect(refused.reason?.message).toContain('The board runs "ubuntu 12", which is not known here');
    const changed = await on(shaken, 'find / -xdev -type f -newer /root/before | sort');
    expect(changed.split('\n').filter((path) => !/^\/var\/(log|lib\/systemd)\//.test(path))).toEqual([
      '/home/pi/.ssh/authorized_keys',
      '/home/pi/.sudo_as_admin_successful',
    ]);
  });

  it('ends done although the network is cut, and then the power, while packages are installed', async () => {
    const ended = boards.run('node02', STEPS);
    await untilApplying(ended, 'node02', 'time');
    await shaken.cutNetwork();
    await sleep(5_000);
    // What fetches packages gives up meanwhile.
    await on(
      shaken,
      'while [ "$(systemctl show --property=SubState --value bramble-apt.service)" = running ]; do sleep 0.5; done',
    );
    await shaken.restoreNetwork();
    await untilApplying(ended, 'node02', 'node-exporter');
    await on(
      shaken,
      'until grep -q "^Unpacking prometheus-node-exporter" /run/bramble/bramble-apt.log 2> /dev/null; do sleep 0.05; done',
    );
    await shaken.cutPower();
    await sleep(1_000);
    await shaken.start();
    expect(await ended).toMatchObject(done);
    expect(await on(shaken, 'dpkg --audit; systemctl is-active prometheus-node-exporter')).toBe('active');
  });

  it('says that its disk is full while packages are unpacked, and is mended once there is room', async () => {
    await on(shaken, 'mkdir -p /usr/lib/gcc; mount -t tmpfs -o size=1m tmpfs /usr/lib/gcc');
    const full = await boards.run('node02', [...STEPS, COMPILER]);
    expect(full).toMatchObject({ state: 'failed', reason: { code: COMPILER.name } });
    expect(full.reason?.message).toMatch(
      /^The board has no room left for packages\.[^]*\/usr\/lib\/gcc[^]*No space left on device/,
    );
    await on(shaken, 'mount -o remount,size=500m /usr/lib/gcc');
    const mended = await boards.run('node02', [...STEPS, COMPILER]);
    expect(mended).toMatchObject(done);
    expect(named(mended, 'applied')).toEqual([COMPILER.name]);
    expect(await on(shaken, 'dpkg --audit')).toBe('');
  });

  it('is waited for while its sshd is stopped', async () => {
    await on(shaken, 'systemctl stop ssh');
    const ended = boards.run('node02', STEPS);
    await expect
      .poll(async () => (await latest('node02')).reason)
      .toMatchObject({ code: 'TriedAgain', message: expect.stringContaining('cannot be reached') as string });
    await on(shaken, 'systemctl start ssh');
    expect(await ended).toMatchObject(done);
  });

  it('is refused with another host key, which is named', async () => {
    await on(
      shaken,
      'mv "$1" /root/key; ssh-keygen -q -t ed25519 -N "" -f "$1"; systemctl restart ssh',
      HOST_KEY,
    );
    const refused = await boards.run('node02', STEPS);
    expect(refused).toMatchObject({ state: 'failed', reason: { code: 'sign-in' } });
    const shown = (await on(shaken, 'ssh-keygen -lf "$1" | cut -d" " -f2', HOST_KEY)).trim();
    expect(refused.reason?.message).toContain(
      `${shaken.address} showed the host key ${shown}, but ${shaken.hostKeyFingerprint} is pinned; nothing was sent there.`,
    );
    await on(shaken, 'mv /root/key "$1"; systemctl restart ssh', HOST_KEY);
    expect(await boards.run('node02', STEPS)).toMatchObject(done);
  });

  it('says that the managed key was removed, and gets it again with the password', async () => {
    await on(shaken, ': > /home/pi/.ssh/authorized_keys');
    const refused = await boards.run('node02', STEPS);
    expect(refused).toMatchObject({ state: 'failed', reason: { code: 'sign-in' } });
    expect(refused.reason?.message).toMatch(
      /does not let pi in with the managed key any more: .*\. Was it removed from authorized_keys\? Apply with a password or a key to install it again\.$/,
    );
    const board = existing(await boards.store.findByName('node02'));
    const secret = { password: shaken.password };
    const signIn = sealSignIn(board.id, { secret, sudoPassword: shaken.password }, plainSecretBox);
    await boards.store.change(board, { sealedSignIn: signIn });
    const mended = await boards.run('node02', STEPS);
    expect(mended).toMatchObject(done);
    expect(named(mended, 'applied')).toEqual(['sign-in']);
  });
});
