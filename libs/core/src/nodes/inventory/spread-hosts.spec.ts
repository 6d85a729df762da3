import { beforeEach, expect, it } from 'vitest';
import { MemoryBoardInventory } from '../../../../../test/fakes/memory-board-inventory.ts';
import { enrolledBoard, OperationRuns } from '../../../../../test/fakes/operation-runs.ts';
import type { OperationState } from '../../operations/operation.ts';
import { KNOWN_BOARDS } from '../steps/hosts-step.ts';
import { SpreadHosts } from './spread-hosts.ts';

let runs: OperationRuns;
let begun: string[];
beforeEach(() => {
  runs = new OperationRuns();
  begun = [];
});

const spread = () =>
  new SpreadHosts({
    inventory: new MemoryBoardInventory(runs.store),
    manage: {
      begin: async (name, kind) => {
        begun.push(`${kind} ${name}`);
        return {} as never;
      },
    },
    clock: runs.clock,
  }).run();

async function board(
  n: number,
  known: string,
  state: OperationState = 'done',
  kind: 'enrol' | 'hosts' = 'enrol',
) {
  const one = enrolledBoard({ id: `brd_${n}`, name: `node0${n}`, address: `10.0.0.${n + 1}` });
  await runs.add(one);
  runs.clock.advance(1000);
  const operation = await runs.begin(kind, {}, one.name, one.id);
  await runs.store.changeOperation(operation, {
    ...{ state, notes: { [KNOWN_BOARDS]: known }, endedAt: runs.clock.now(), lookAt: null },
  });
}

const ALL = 'node02=10.0.0.3 node03=10.0.0.4';

it('tells those that do not know of all, and nobody twice', async () => {
  await board(2, 'node02=10.0.0.3');
  await board(3, ALL);
  expect(await spread()).toBe(1);
  expect(begun).toEqual(['hosts node02']);
  await runs.begin('hosts', {}, 'node02', 'brd_2');
  expect(await spread()).toBe(0);
});

it('tells of those that have gone', async () => {
  await board(2, ALL);
  await board(3, ALL);
  expect(await spread()).toBe(0);
  await runs.store.remove('brd_3');
  expect(await spread()).toBe(1);
});

it('leaves alone what was never enrolled, and tries again later what could not be told', async () => {
  await board(2, '', 'failed');
  await board(3, '', 'failed', 'hosts');
  expect(await spread()).toBe(0);
  runs.clock.advance(11 * 60_000);
  expect(await spread()).toBe(1);
  expect(begun).toEqual(['hosts node03']);
});
