import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Board } from '#core/nodes/board';
import type { BoardStore } from '#core/nodes/board-store';
import type { NodeOperation } from '#core/operations/operation';
import type { NewOperation } from '#core/operations/operation-store';
import { existing } from '../fakes/existing.ts';
import { idOf } from '../fakes/counting-ids.ts';

const at = (seconds: number): Date => new Date(Date.parse('2026-03-01T12:00:00.123Z') + seconds * 1000);

/** What every `BoardStore` owes to those who use it. */
export function describeBoardStore(
  name: string,
  { create }: { create: () => Promise<{ store: BoardStore; close(): Promise<void> }> },
): void {
  describe(name, () => {
    let store: BoardStore;
    let close: () => Promise<void>;

    beforeEach(async () => {
      const tested = await create();
      store = tested.store;
      close = () => tested.close();
    });
    afterEach(() => close());

    const boardOf = (n: number, fields: Partial<Board> = {}): Board => ({
      id: idOf('brd', n),
      version: 1,
      name: `node0${n}`,
      address: `10.0.0.${n + 1}`,
      sshPort: 22,
      signInUser: 'pi',
      hostKeySha256: null,
      roles: ['storage', 'compute'],
      labels: { rack: '"1" ä' },
      network: { address: '10.0.0.9', prefixLength: 24, gateway: null, nameServers: ['10.0.0.2'] },
      storage: null,
      trial: false,
      sealedSignIn: 'v1.sealed',
      sealedSudoPassword: null,
      facts: null,
      factsAt: null,
      createdAt: at(n),
      ...fields,
    });
    const operationOf = (
      n: number,
      { id, name }: Pick<Board, 'id' | 'name'>,
      fields: Partial<NewOperation<NodeOperation>> = {},
    ): NewOperation<NodeOperation> => ({
      id: idOf('op', n),
      about: 'node',
      subject: name,
      boardId: id,
      kind: 'enrol',
      parameters: { reason: 'new "ä"', force: false },
      steps: [
        {
          name: 'a',
          title: 'A "ä" 🍓',
          state: 'applied',
          detail: null,
          startedAt: at(1),
          endedAt: at(1.001),
        },
        { name: 'b', title: 'B', state: 'waiting', detail: 'x\ny', startedAt: null, endedAt: null },
      ],
      createdAt: at(n),
      ...fields,
    });
    async function insert(n: number): Promise<Board> {
      const board = boardOf(n);
      expect(await store.insert(board, operationOf(n, board))).toBeUndefined();
      return board;
    }
    const operation = async (n: number) => existing(await store.findOperation(idOf('op', n)));

    it('stores a board with its first operation, and finds both', async () => {
      const board = await insert(2);
      await expect(store.find(board.id)).resolves.toEqual(board);
      await expect(store.findByName('node02')).resolves.toEqual(board);
      await expect(store.find('brd_none')).resolves.toBeUndefined();
      await expect(store.findByName('node09')).resolves.toBeUndefined();
      await expect(operation(2)).resolves.toEqual({
        ...operationOf(2, board),
        version: 1,
        notes: {},
        state: 'waiting',
        reason: null,
        cancelRequestedAt: null,
        lookAt: at(2),
        startedAt: null,
        endedAt: null,
      });
    });

    it('takes neither name nor address twice, and then stores nothing', async () => {
      await insert(2);
      const again = boardOf(3, { name: 'node02' });
      await expect(store.insert(again, operationOf(3, again))).resolves.toEqual({ taken: 'name' });
      const there = boardOf(3, { address: '10.0.0.3' });
      await expect(store.insert(there, operationOf(3, there))).resolves.toEqual({ taken: 'address' });
      await expect(store.findOperation(idOf('op', 3))).resolves.toBeUndefined();
      await expect(store.list()).resolves.toHaveLength(1);
    });

    it('lists boards in order of name', async () => {
      for (const n of [3, 1, 2]) await insert(n);
      expect((await store.list()).map((board) => board.name)).toEqual(['node01', 'node02', 'node03']);
    });

    it('changes a board that nobody else has changed', async () => {
      const board = await insert(2);
      const facts = {
        ...{
          model: 'Raspberry Pi 5',
          revision: null,
          disks: [],
          serial: null,
          machineId: 'f00d',
          hostname: 'x',
          architecture: 'arm64',
        },
        ...{ cpus: 4, memoryMebibytes: 8000, pageSizeBytes: 16_384, os: 'debian 13', kernel: '6.12' },
        ...{
          temperatureCelsius: 48.3,
          throttled: ['throttled'],
          clockSkewSeconds: -0.5,
          clockSkewUncertaintySeconds: 0,
        },
      };
      const patch = { facts, factsAt: at(9), hostKeySha256: 'SHA256:x', sealedSignIn: null };
      const changed = await store.change(board, patch);
      expect(changed).toEqual({ ...board, ...patch, version: 2 });
      await expect(store.find(board.id)).resolves.toEqual(changed);
      await expect(store.change(board, { labels: {} })).resolves.toBeUndefined();
      await expect(store.find(board.id)).resolves.toEqual(changed);
    });

    it('forgets a board with all that was done, once nothing is under way', async () => {
      const board = await insert(2);
      await expect(store.remove(board.id)).resolves.toBe(false);
      await store.changeOperation(await operation(2), { state: 'failed', lookAt: null });
      await expect(store.remove(board.id)).resolves.toBe(true);
      await expect(store.find(board.id)).resolves.toBeUndefined();
      await expect(operation(2)).resolves.toMatchObject({ subject: 'node02', boardId: null });
      await expect(store.remove(board.id)).resolves.toBe(false);
      const again = boardOf(2, { id: idOf('brd', 3) });
      await expect(store.insert(again, operationOf(3, again))).resolves.toBeUndefined();
      const ids = (await store.operationsOf('node', 'node02', 10)).map(({ id }) => id);
      expect(ids).toEqual([idOf('op', 3), idOf('op', 2)]);
    });

    it('forgets a board in the course of the operation that takes it out', async () => {
      const board = await insert(2);
      await expect(store.remove(board.id, { during: idOf('op', 9) })).resolves.toBe(false);
      await expect(store.remove(board.id, { during: idOf('op', 2) })).resolves.toBe(true);
    });

    it('keeps trials apart from boards, and forgets them', async () => {
      await insert(2);
      const trial = boardOf(2, { id: idOf('brd', 3), trial: true });
      await expect(store.insert(trial, operationOf(3, trial, { kind: 'plan' }))).resolves.toBeUndefined();
      const another = boardOf(2, { id: idOf('brd', 4), trial: true, createdAt: at(60) });
      await expect(store.insert(another, operationOf(4, another, { kind: 'plan' }))).resolves.toBeUndefined();
      await expect(store.find(trial.id)).resolves.toEqual(trial);
      await expect(store.list()).resolves.toMatchObject([{ id: idOf('brd', 2) }]);
      await expect(store.findByName('node02')).resolves.toMatchObject({ id: idOf('brd', 2) });
      await expect(store.operationsOf('node', 'node02', 10)).resolves.toMatchObject([{ id: idOf('op', 2) }]);
      await store.removeTrials(at(30));
      await expect(store.find(trial.id)).resolves.toBeUndefined();
      await expect(store.findOperation(idOf('op', 3))).resolves.toBeUndefined();
      await expect(store.find(another.id)).resolves.toEqual(another);
      await expect(store.list()).resolves.toHaveLength(1);
    });

    it('forgets operations that ended long ago, except for the newest', async () => {
      const board = await insert(2);
      for (const n of [2, 3, 4, 5]) {
        if (n > 2) await store.begin(operationOf(n, board));
        await store.changeOperation(await operation(n), { state: 'done', lookAt: null, endedAt: at(n) });
      }
      await store.begin(operationOf(6, board));
      const ids = async () => (await store.operationsOf('node', 'node02', 10)).map(({ id }) => id);
      await store.removeOperations(at(4), 2);
      expect(await ids()).toEqual([6, 5, 4].map((n) => idOf('op', n)));
      await store.removeOperations(at(100), 0);
      expect(await ids()).toEqual([idOf('op', 6)]);
    });

    it('forgets plans that have ended before, and nothing else', async () => {
      const board = await insert(2);
      const end = async (n: number, seconds: number) =>
        store.changeOperation(await operation(n), { state: 'done', lookAt: null, endedAt: at(seconds) });
      for (const n of [3, 4, 5]) await store.begin(operationOf(n, board, { kind: 'plan' }));
      await end(2, 1);
      await end(3, 1);
      await end(4, 9);
      await store.removePlans(at(5));
      const left = await Promise.all([2, 3, 4, 5].map((n) => store.findOperation(idOf('op', n))));
      expect(left.map((one) => one?.id)).toEqual([
        idOf('op', 2),
        undefined,
        ...[4, 5].map((n) => idOf('op', n)),
      ]);
    });

    it('works on nodes that are no boards', async () => {
      const drain = operationOf(5, { id: '', name: 'other' }, { boardId: null, kind: 'drain' });
      await expect(store.begin(drain)).resolves.toMatchObject({ subject: 'other', boardId: null });
      await expect(store.begin({ ...drain, id: idOf('op', 6) })).resolves.toBeUndefined();
    });

    it('keeps what steps have shown, in order', async () => {
      await insert(2);
      for (const text of ['a\n', 'b "ä" 🍓\0', 'c']) await store.say(idOf('op', 2), 'hosts', text);
      const output = await store.outputAfter(idOf('op', 2), 1, 10);
      expect(output).toMatchObject([
        { seq: 2, step: 'hosts', text: expect.stringContaining('b "ä" 🍓') as string },
        { seq: 3, step: 'hosts', text: 'c' },
      ]);
      await expect(store.outputAfter(idOf('op', 2), 0, 1)).resolves.toMatchObject([{ seq: 1 }]);
      await expect(store.outputAfter(idOf('op', 9), 0, 1)).resolves.toEqual([]);
    });

    it('has one operation under way for a board', async () => {
      const board = await insert(2);
      await expect(store.begin(operationOf(3, board))).resolves.toBeUndefined();
      const first = await operation(2);
      await store.changeOperation(first, { state: 'failed', lookAt: null });
      await expect(store.begin(operationOf(3, board, { kind: 'check' }))).resolves.toMatchObject({
        kind: 'check',
        state: 'waiting',
      });
      await expect(store.begin(operationOf(4, board))).resolves.toBeUndefined();
      const ids = (await store.operationsOf('node', 'node02', 10)).map(({ id }) => id);
      expect(ids).toEqual([idOf('op', 3), idOf('op', 2)]);
      await expect(store.operationsOf('node', 'node02', 1)).resolves.toHaveLength(1);
    });

    it('begins one of many operations that come at once', async () => {
      const board = await insert(2);
      await store.changeOperation(await operation(2), { state: 'done', lookAt: null });
      const begun = await Promise.all([3, 4, 5, 6, 7].map((n) => store.begin(operationOf(n, board))));
      expect(begun.filter((one) => one !== undefined)).toHaveLength(1);
    });

    it('changes an operation that nobody else has changed', async () => {
      await insert(2);
      const before = await operation(2);
      const patch = {
        state: 'running' as const,
        reason: { code: 'x', message: 'ä "y"' },
        steps: before.steps.map((step) => ({ ...step, state: 'failed' as const, endedAt: at(5) })),
        cancelRequestedAt: at(6),
        startedAt: at(4),
        notes: { bootId: 'f00d' },
      };
      const changed = await store.changeOperation(before, patch);
      expect(changed).toEqual({ ...before, ...patch, version: 2 });
      await expect(operation(2)).resolves.toEqual(changed);
      await expect(store.changeOperation(before, { state: 'done' })).resolves.toBeUndefined();
      const cleared = await store.changeOperation(existing(changed), {
        reason: null,
        cancelRequestedAt: null,
      });
      expect(cleared).toMatchObject({ reason: null, cancelRequestedAt: null, version: 3 });
    });

    it('gives due operations once, the longest waiting first, and none that is over', async () => {
      for (const n of [2, 1, 3]) await insert(n);
      await store.changeOperation(await operation(3), { state: 'cancelled', lookAt: null });
      await store.putOffOperation(idOf('op', 3), at(0));
      const due = await store.takeDueOperations(at(10), at(20), 10);
      expect(due.map(({ id }) => id)).toEqual([idOf('op', 1), idOf('op', 2)]);
      await expect(store.takeDueOperations(at(10), at(20), 10)).resolves.toEqual([]);
      await store.putOffOperation(idOf('op', 2), at(5));
      expect((await store.takeDueOperations(at(10), at(20), 10)).map(({ id }) => id)).toEqual([
        idOf('op', 2),
      ]);
      expect((await operation(2)).version).toBe(1);
    });
  });
}
