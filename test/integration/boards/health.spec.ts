import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BoardHealth } from '#core/nodes/inventory/board-health';
import { WatchHealth } from '#core/nodes/inventory/watch-health';
import { SshBoardConnector } from '#infra/boards/ssh-board-connector';
import { systemClock } from '#infra/identity/system-clock';
import { existing } from '../../fakes/existing.ts';
import { MemoryBoardInventory } from '../../fakes/memory-board-inventory.ts';
import { MemoryNodeEvents } from '../../fakes/memory-node-events.ts';
import { plainSecretBox } from '../../fakes/plain-secret-box.ts';
import { type BoardsLab, boardsDown, boardsUp } from '../../lab/boards/boards-lab.ts';
import { TEST_LAB_DIRECTORY } from '../../lab/test-lab.ts';
import { stepsOnBoards } from './board-steps.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-health`;
const INTERVAL_MS = 1_000;

let lab: BoardsLab;
const boards = stepsOnBoards();
const inventory = new MemoryBoardInventory(boards.store);
const events = new MemoryNodeEvents();
const failures: unknown[] = [];
const watcher = new WatchHealth({
  ...{ boards: boards.store, inventory, events, connector: new SshBoardConnector(), secrets: plainSecretBox },
  ...{ clock: systemClock, intervalMs: INTERVAL_MS, managedKey: boards.managedKey },
  onError: (error) => failures.push(error),
});
const machine = (index: number) => existing(lab.boards[index]);
const healthOf = async (name: string): Promise<BoardHealth | null> =>
  (await inventory.list()).find(({ board }) => board.name === name)?.health ?? null;

/** Looks as the leader does, until the board is seen so. */
async function seen(name: string, expected: Partial<BoardHealth>): Promise<void> {
  await expect
    .poll(
      async () => {
        await watcher.run();
        return healthOf(name);
      },
      { interval: 100 },
    )
    .toMatchObject(expected);
}

beforeAll(async () => {
  lab = await boardsUp({ dir: DIRECTORY, boards: 2 });
  await Promise.all([0, 1].map((index) => boards.enrol(machine(index), `node0${index + 1}`, [])));
});
afterAll(async () => {
  await watcher.stop();
  await boardsDown(DIRECTORY);
});

describe('the health of boards', () => {
  it('is read in one look', async () => {
    await seen('node01', { failures: 0 });
    const { state, reasons, condition } = existing((await healthOf('node01')) ?? undefined);
    // The disk is the one of the machine that the lab is on, and may be full.
    expect(reasons.filter(({ code }) => code !== 'disk_full')).toEqual([]);
    expect(state).toBe(reasons.length === 0 ? 'healthy' : 'degraded');
    expect(condition).toMatchObject({ bootId: await machine(0).bootId(), throttled: [] });
    expect(Math.abs(existing(condition ?? undefined).clockSkewSeconds)).toBeLessThan(2);
  });

  it('tells of too low a voltage', async () => {
    machine(0).answerVcgencmd('get_throttled', 'throttled=0x50005');
    await expect
      .poll(
        async () => {
          await watcher.run();
          return (await healthOf('node01'))?.reasons.map(({ code }) => code);
        },
        { interval: 100 },
      )
      .toEqual(expect.arrayContaining(['under_voltage', 'throttled', 'under_voltage_since_start']));
    expect((await healthOf('node01'))?.state).toBe('degraded');
    machine(0).answerVcgencmd('get_throttled', 'throttled=0x0');
  });

  it('of one that is cut off is known, without keeping the others waiting', async () => {
    await seen('node02', { failures: 0 });
    await machine(1).cutNetwork();
    let looksAtTheOther = 0;
    let lookedAt = (await healthOf('node01'))?.observedAt.getTime();
    await expect
      .poll(
        async () => {
          await watcher.run();
          const observedAt = (await healthOf('node01'))?.observedAt.getTime();
          if (observedAt !== lookedAt) looksAtTheOther += 1;
          lookedAt = observedAt;
          return (await healthOf('node02'))?.state;
        },
        { interval: 100 },
      )
      .toBe('unreachable');
    expect(looksAtTheOther).toBeGreaterThanOrEqual(2);
    await machine(1).restoreNetwork();
    await seen('node02', { failures: 0 });
    const told = (await events.after('node02', 0, 100)).map(({ type, state }) => `${type} ${state ?? ''}`);
    expect(told).toContain('health unreachable');
  });

  it('tells that a board has been restarted', async () => {
    await machine(1).reboot();
    await expect
      .poll(
        async () => {
          await watcher.run();
          return (await events.after('node02', 0, 100)).map(({ type }) => type);
        },
        { interval: 100 },
      )
      .toContain('restarted');
    expect(failures).toEqual([]);
  });
});
