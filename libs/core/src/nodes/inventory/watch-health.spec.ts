import { beforeEach, describe, expect, it } from 'vitest';
import { exited, ScriptedBoard } from '../../../../../test/fakes/scripted-board.ts';
import { ManualClock } from '../../../../../test/fakes/manual-clock.ts';
import { MemoryBoardInventory } from '../../../../../test/fakes/memory-board-inventory.ts';
import { MemoryBoardStore } from '../../../../../test/fakes/memory-board-store.ts';
import { MemoryNodeEvents } from '../../../../../test/fakes/memory-node-events.ts';
import { plainSecretBox } from '../../../../../test/fakes/plain-secret-box.ts';
import { existing } from '../../../../../test/fakes/existing.ts';
import type { Board } from '../board.ts';
import type { BoardConnector } from '../board-connection.ts';
import type { NodeOperation } from '../../operations/operation.ts';
import { CheckBoards } from './check-boards.ts';
import { WatchHealth, type WatchHealthPorts } from './watch-health.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const KEY = 'private key';
const BOOT_IDS = ['1b4e28ba-2fa1-11d2-883f-0016d3cca427', '2c5f39cb-2fa1-11d2-883f-0016d3cca427'] as const;

let clock: ManualClock;
let boards: MemoryBoardStore;
let inventory: MemoryBoardInventory;
let events: MemoryNodeEvents;
let board: ScriptedBoard;
let bootId: string;
let temperature: string;

beforeEach(() => {
  clock = new ManualClock();
  boards = new MemoryBoardStore();
  inventory = new MemoryBoardInventory(boards);
  events = new MemoryNodeEvents();
  board = new ScriptedBoard();
  board.authorizedKeys.add(KEY);
  [bootId] = BOOT_IDS;
  temperature = '48000';
  board.answer = () =>
    exited(
      0,
      [
        `temperature\t${temperature}`,
        'throttled\tthrottled=0x0',
        'disk\t/dev/root 100 50 50 50% /',
        'load\t0.1 0.1 0.1 1/1 1',
        'uptime\t60.00 1.00',
        `bootId\t${bootId}`,
        `time\t${clock.now().getTime() / 1000}`,
      ].join('\n'),
    );
});

const watch = (connector: BoardConnector = board, changes: Partial<WatchHealthPorts> = {}) =>
  new WatchHealth({
    ...{ boards, inventory, events, connector, secrets: plainSecretBox, clock, intervalMs: MINUTE },
    managedKey: () => Promise.resolve({ privateKey: KEY, publicKeyLine: 'ssh-ed25519 x' }),
    onError: (error) => {
      throw error;
    },
    ...changes,
  });
async function look(watcher = watch()) {
  await watcher.run();
  await watcher.settled();
}
async function enrolled(n: number, fields: Partial<Board> = {}): Promise<Board> {
  const enrolling: Board = {
    ...{
      id: `brd_${n}`,
      version: 1,
      name: `node0${n}`,
      address: `10.0.0.${n}`,
      sshPort: 22,
      signInUser: 'pi',
    },
    ...{ hostKeySha256: board.hostKeySha256, roles: ['compute'], labels: {}, network: null, storage: null },
    ...{ trial: false, sealedSignIn: null, sealedSudoPassword: null, facts: null, factsAt: null },
    createdAt: clock.now(),
    ...fields,
  };
  await boards.insert(enrolling, {
    ...{
      id: `op_${n}`,
      about: 'node',
      subject: enrolling.name,
      boardId: enrolling.id,
      kind: 'enrol',
      steps: [],
    },
    ...{ parameters: { reason: null, force: false }, createdAt: clock.now() },
  });
  await over(`op_${n}`);
  return enrolling;
}
async function over(id: string): Promise<void> {
  const operation = existing(await boards.findOperation(id));
  await boards.changeOperation(operation, { state: 'done', endedAt: clock.now() });
}
async function begin(id: string, node: string, kind: NodeOperation['kind']): Promise<void> {
  await boards.begin({
    ...{
      id,
      about: 'node',
      subject: node,
      boardId: null,
      kind,
      steps: [],
      parameters: { reason: null, force: false },
    },
    createdAt: clock.now(),
  });
}
const healthOf = async (name: string) =>
  (await inventory.list()).find(({ board: { name: own } }) => own === name)?.health;
const told = async (node: string) =>
  (await events.after(node, 0, 100)).map(({ type, state }) => (state === null ? type : `${type} ${state}`));

describe('watching the health of boards', () => {
  it('finds out how each is, once an interval, over one connection', async () => {
    await enrolled(1);
    await look();
    expect(await healthOf('node01')).toMatchObject({
      state: 'healthy',
      ...{ reasons: [], failures: 0, observedAt: clock.now(), condition: { bootId, rootUsedPercent: 50 } },
    });
    await look();
    expect([board.signedIn, board.commands.length, board.open]).toEqual([['key'], 1, 0]);
    clock.advance(MINUTE);
    await look();
    expect(board.commands).toHaveLength(2);
    expect(await told('node01')).toEqual(['health healthy']);
  });

  it('tells when a board got worse, went away, came back and had been restarted', async () => {
    await enrolled(1);
    await look();
    const since = clock.now();
    clock.advance(MINUTE);
    temperature = '84000';
    await look();
    expect(await healthOf('node01')).toMatchObject({ state: 'degraded', reasons: [{ code: 'hot' }] });
    clock.advance(MINUTE);
    board.reachable = false;
    await look();
    expect(await healthOf('node01')).toMatchObject({
      ...{ state: 'unreachable', failures: 1, condition: { temperatureCelsius: 84 } },
    });
    clock.advance(MINUTE);
    board.reachable = true;
    temperature = '50000';
    [, bootId] = BOOT_IDS;
    await look();
    expect(await healthOf('node01')).toMatchObject({ state: 'healthy', since: clock.now(), failures: 0 });
    expect((await healthOf('node01'))?.since).not.toEqual(since);
    expect(await told('node01')).toEqual([
      'health healthy',
      'health degraded',
      'health unreachable',
      'restarted',
      'health healthy',
    ]);
  });

  it('asks a board that stays away less and less often', async () => {
    await enrolled(1);
    board.reachable = false;
    const watcher = watch();
    const looks: number[] = [];
    for (let minute = 0; minute < 16; minute += 1) {
      const before = (await healthOf('node01'))?.failures ?? 0;
      await look(watcher);
      if (((await healthOf('node01'))?.failures ?? 0) > before) looks.push(minute);
      clock.advance(MINUTE);
    }
    expect(looks).toEqual([0, 1, 3, 7, 12]);
    expect(await told('node01')).toEqual(['health unreachable']);
  });

  it('says what is wrong where somebody else answers, or the key is not taken', async () => {
    await enrolled(1, { hostKeySha256: `SHA256:${'b'.repeat(43)}` });
    await enrolled(2);
    await look();
    expect(await healthOf('node01')).toMatchObject({
      state: 'unknown',
      reasons: [{ code: 'host_key_changed' }],
    });
    expect(await healthOf('node02')).toMatchObject({ state: 'healthy' });
    expect(board.commands).toHaveLength(1);
    clock.advance(MINUTE);
    board.authorizedKeys.clear();
    await look();
    expect(await healthOf('node02')).toMatchObject({
      state: 'unknown',
      reasons: [{ code: 'sign_in_refused' }],
    });
  });

  it('leaves boards alone that are not enrolled to the end, or that are being worked on', async () => {
    await enrolled(1, { sealedSignIn: 'sealed' });
    await enrolled(2);
    await begin('op_9', 'node02', 'reboot');
    await look();
    expect(board.signedIn).toEqual([]);
    await over('op_9');
    await look();
    expect(board.signedIn).toEqual(['key']);
    expect(await healthOf('node01')).toBeNull();
  });

  it('does not take a board for lost that was restarted while it looked', async () => {
    await enrolled(1);
    const connector: BoardConnector = {
      connect: async () => {
        await begin('op_9', 'node01', 'reboot');
        return { kind: 'unreachable', because: 'no route to host' };
      },
    };
    await look(watch(connector));
    expect(await healthOf('node01')).toBeNull();
    expect(await told('node01')).toEqual([]);
  });

  it('keeps nobody waiting for boards that do not answer, and gives up on them at the end', async () => {
    for (let n = 1; n <= 9; n += 1) await enrolled(n);
    let hanging = 0;
    const connector: BoardConnector = {
      connect: (target, options) => {
        if (target.address === '10.0.0.9') return board.connect(target);
        hanging += 1;
        return new Promise((resolve) => {
          options?.signal?.addEventListener('abort', () =>
            resolve({ kind: 'unreachable', because: 'given up' }),
          );
        });
      },
    };
    board.reachable = false;
    await look();
    expect(await healthOf('node01')).toMatchObject({ state: 'unreachable' });
    board.reachable = true;
    clock.advance(MINUTE);
    await boards.change(existing(await boards.findByName('node09')), { labels: { changed: 'yes' } });
    const known = existing((await healthOf('node08')) ?? undefined);
    await inventory.recordHealth({ ...known, boardId: 'brd_9', failures: 0, nextLookAt: clock.now() });
    const watcher = watch(connector);
    await watcher.run();
    await expect.poll(async () => (await healthOf('node09'))?.state).toBe('healthy');
    expect(hanging).toBe(4);
    const before = await healthOf('node01');
    await watcher.stop();
    expect(await healthOf('node01')).toEqual(before);
  });

  it('says once an interval what is wrong with itself', async () => {
    await enrolled(1);
    const errors: unknown[] = [];
    const watcher = watch(board, {
      managedKey: () => Promise.reject(new Error('no key opens it')),
      onError: (error, name) => errors.push([name, error]),
    });
    await look(watcher);
    await look(watcher);
    expect(errors).toEqual([['node01', new Error('no key opens it')]]);
    clock.advance(MINUTE);
    await look(watcher);
    expect(errors).toHaveLength(2);
    expect(await healthOf('node01')).toBeNull();
  });

  it('counts boards by what is known of them', async () => {
    await enrolled(1);
    const watcher = watch();
    expect(Object.fromEntries(await watcher.run())).toEqual({
      healthy: 0,
      degraded: 0,
      unreachable: 0,
      unknown: 1,
    });
    await watcher.settled();
    expect((await watcher.run()).get('healthy')).toBe(1);
  });
});

describe('checking boards again', () => {
  const begun: string[] = [];
  const checks = () =>
    new CheckBoards({
      ...{ inventory, clock, everyMs: 24 * HOUR },
      manage: {
        begin: async (name, kind) => {
          begun.push(`${kind} ${name}`);
          await begin(`op_check_${begun.length}`, name, kind);
          return undefined as never;
        },
      },
    });

  beforeEach(() => {
    begun.length = 0;
  });

  it('begins with the one whose last look is the oldest, one at a time', async () => {
    await enrolled(1);
    clock.advance(HOUR);
    await enrolled(2);
    clock.advance(22 * HOUR);
    await checks().run();
    expect(begun).toEqual([]);
    clock.advance(2 * HOUR);
    await checks().run();
    expect(begun).toEqual(['check node01']);
    await checks().run();
    await checks().run();
    expect(begun).toEqual(['check node01', 'check node02']);
  });

  it('leaves out boards that are away, and those that are not enrolled to the end', async () => {
    await enrolled(1);
    await enrolled(2, { sealedSignIn: 'sealed' });
    board.reachable = false;
    await look();
    clock.advance(48 * HOUR);
    await checks().run();
    expect(begun).toEqual([]);
  });
});
