import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BoardPatch } from '#core/nodes/board';
import type { BoardStep, StepContext } from '#core/nodes/board-step';
import { networkStepWith } from '#core/nodes/steps/network/network-step';
import { existing } from '../../fakes/existing.ts';
import { type Board, type BoardsLab, boardsDown, boardsUp } from '../../lab/boards/boards-lab.ts';
import { runOrThrow } from '../../lab/boards/command.ts';
import { TEST_LAB_DIRECTORY } from '../../lab/test-lab.ts';
import { stepsOnBoards } from './board-steps.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-network`;
const LOOPBACK = 'auto lo\niface lo inet loopback\n';
const NETWORKD = '[Match]\nName=e*\n\n[Network]\nDHCP=ipv4\n\n[DHCPv4]\nClientIdentifier=mac\n';

const step = networkStepWith({ undoAfterMs: 15_000 });
/** Its undo does not come while a test looks on. */
const patient = networkStepWith({ undoAfterMs: 60_000 });
const boards = stepsOnBoards();
let lab: BoardsLab;

const virtual = (name: string): Board => lab.board(name);
const inLab = (host: number): string => lab.subnet.replace('0/24', String(host));
const toHave = (address: string, gateway: string | null = lab.bridgeAddress): BoardPatch => ({
  network: { address, prefixLength: 24, gateway, nameServers: [lab.bridgeAddress] },
});

/** Runs shell lines on a board, with `$1` … */
async function shell(name: string, script: string, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await virtual(name).run(['sh', '-ec', script, 'sh', ...args], {
    timeoutMs: 300_000,
  });
  if (exitCode !== 0) throw new Error(`${name}: ${stderr}`);
  return stdout;
}

const addressesOf = async (name: string): Promise<string[]> => {
  const shown = await shell(name, 'ip -o -4 address show dev eth0 scope global');
  return [...shown.matchAll(/inet (\S+).*?(dynamic)?\s*(?:noprefixroute )?eth0\\/g)].map(
    ([, address, leased]) => `${address}${leased === undefined ? '' : ' by DHCP'}`,
  );
};

/** The step in a worker that is killed when it uses something of its context. */
const killedAt = (what: keyof StepContext): BoardStep => ({
  ...step,
  apply: (context, seen) =>
    patient.apply(
      new Proxy(context, {
        get(target, key) {
          if (key === what) return () => Promise.reject(new Error('killed'));
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      }),
      seen,
    ),
});

async function lastOperation(name: string): Promise<string> {
  const [operation] = await boards.store.operationsOf('node', name, 1);
  return existing(operation).id;
}

/** What a change has on a board; the script of the undo alone stays. */
const UNSETTLED = 'ls -d /var/lib/bramble/network-undo* /etc/systemd/system/*bramble* 2> /dev/null || true';

beforeAll(async () => {
  lab = await boardsUp({
    dir: DIRECTORY,
    boards: ['ifupdown', 'networkd', 'manager'].map((name) => ({ name })),
  });
  await Promise.all([
    shell(
      'manager',
      `export DEBIAN_FRONTEND=noninteractive
       apt-get -q update && apt-get -q -y --no-install-recommends install network-manager
       ifdown eth0; printf %s "$1" > /etc/network/interfaces; systemctl restart NetworkManager; nm-online -q -t 120`,
      LOOPBACK,
    ),
    shell(
      'networkd',
      `ifdown eth0; printf %s "$1" > /etc/network/interfaces; printf %s "$2" > /etc/systemd/network/20-wired.network
       systemctl enable --now systemd-networkd; /lib/systemd/systemd-networkd-wait-online -i eth0`,
      LOOPBACK,
      NETWORKD,
    ),
  ]);
});
afterAll(() => boardsDown(DIRECTORY));

describe('the static address of a board', () => {
  it('is refused where another machine has it, and nothing is touched', async () => {
    const fields = toHave(inLab(1), null);
    const taken = await boards.enrol(virtual('ifupdown'), 'node01', [step], fields);
    expect(taken).toMatchObject({
      state: 'failed',
      reason: { message: expect.stringContaining(`Another machine has the address ${inLab(1)}`) as string },
    });
    expect(await addressesOf('ifupdown')).toEqual([`${virtual('ifupdown').address}/24 by DHCP`]);
  });

  it('that leads nowhere is undone by the board itself', async () => {
    // Of its subnet, the machine is no part, and there is no such gateway.
    const network = { address: inLab(105), prefixLength: 30, gateway: inLab(106), nameServers: [] };
    await boards.store.change(existing(await boards.store.findByName('node01')), { network });
    const lost = await boards.run('node01', [networkStepWith({ undoAfterMs: 5_000 })]);
    expect(lost).toMatchObject({
      state: 'failed',
      reason: {
        message: expect.stringContaining(
          `Its old settings are in force again, at ${virtual('ifupdown').address}.`,
        ) as string,
      },
    });
    expect(await addressesOf('ifupdown')).toEqual([`${virtual('ifupdown').address}/24 by DHCP`]);
    expect(await virtual('ifupdown').readFile('/etc/network/interfaces')).toContain('iface eth0 inet dhcp');
    expect(await shell('ifupdown', UNSETTLED)).toBe('/var/lib/bramble/network-undo.sh\n');
  });

  it('is undone by a restart before it was found to work', async () => {
    await change('node01', inLab(101));
    await expect(boards.run('node01', [killedAt('reconnect')])).rejects.toThrow('killed');
    await expect.poll(() => addressesOf('ifupdown')).toEqual([`${inLab(101)}/24`]);
    await virtual('ifupdown').reboot();
    expect(await addressesOf('ifupdown')).toEqual([`${virtual('ifupdown').address}/24 by DHCP`]);
    expect(await shell('ifupdown', UNSETTLED)).toBe('/var/lib/bramble/network-undo.sh\n');
    expect(await boards.goOn(await lastOperation('node01'), [step])).toMatchObject({ state: 'done' });
    expect(await addressesOf('ifupdown')).toEqual([`${inLab(101)}/24`]);
  });

  it.for(['reconnect', 'changeBoard'] as const)(
    'is kept by the next worker, when the first was killed at %s',
    async (what) => {
      const address = inLab(what === 'reconnect' ? 102 : 103);
      const before = existing(await boards.store.findByName('node01')).address;
      await change('node01', address);
      await expect(boards.run('node01', [killedAt(what)]).then(() => 'ended')).rejects.toThrow('killed');
      await expect.poll(() => addressesOf('ifupdown')).toEqual([`${address}/24`]);
      expect(await boards.store.findByName('node01')).toMatchObject({ address: before });
      // The machine would go on to send to where it knows the old address, and wait for an answer.
      await runOrThrow(['ip', 'neigh', 'flush', 'to', before]);
      expect(await boards.goOn(await lastOperation('node01'), [step])).toMatchObject({ state: 'done' });
      expect(await boards.store.findByName('node01')).toMatchObject({ address });
      expect(await shell('ifupdown', UNSETTLED)).toBe('/var/lib/bramble/network-undo.sh\n');
    },
  );

  it.concurrent.for([
    ['ifupdown', 'node01', 112],
    ['networkd', 'node02', 113],
    ['manager', 'node03', 114],
  ] as const)('is set where %s rules, once, and is there after a restart', async ([name, node, host]) => {
    const address = inLab(host);
    const isEnrolled = (await boards.store.findByName(node)) !== undefined;
    if (isEnrolled) await change(node, address);
    const enrolled = isEnrolled
      ? await boards.run(node, [step])
      : await boards.enrol(virtual(name), node, [step], toHave(address));
    expect(enrolled).toMatchObject({ reason: null, state: 'done' });
    expect(await boards.store.findByName(node)).toMatchObject({ address });
    expect(await addressesOf(name)).toEqual([`${address}/24`]);
    const again = await boards.run(node, [step]);
    expect(again.steps.at(-1)).toMatchObject({ name: 'network', state: 'unchanged' });

    await virtual(name).reboot();
    const afterwards = await boards.run(node, [step], 'check');
    expect(afterwards.steps.at(-1)).toMatchObject({ name: 'network', state: 'unchanged' });
    expect(await addressesOf(name)).toEqual([`${address}/24`]);
    expect(await virtual(name).readFile('/etc/resolv.conf')).toContain(`nameserver ${lab.bridgeAddress}`);
    expect(await shell(name, 'ip route show default')).toContain(`via ${lab.bridgeAddress}`);
  });
});

async function change(name: string, address: string): Promise<void> {
  const board = existing(await boards.store.findByName(name));
  await boards.store.change(board, toHave(address));
}
