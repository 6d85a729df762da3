import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../../test/fakes/manual-clock.ts';
import { MemoryOperationStore } from '../../../../test/fakes/memory-operation-store.ts';
import type { NodeOperation, StepProgress } from './operation.ts';
import { StepProblem, StepWaits } from './step-problem.ts';
import { TrackedOperation } from './tracked-operation.ts';

const MINUTE_MS = 60_000;

let store: MemoryOperationStore;
let clock: ManualClock;
let onPause: () => Promise<void>;

beforeEach(async () => {
  store = new MemoryOperationStore();
  clock = new ManualClock();
  onPause = async () => {};
  await store.begin<NodeOperation>({
    ...{ id: 'op_1', about: 'node', subject: 'node02', boardId: null, kind: 'check', steps: [] },
    ...{ parameters: { reason: null, force: false }, createdAt: clock.now() },
  });
});

const step = (name: string): StepProgress => ({
  ...{ name, title: name, state: 'waiting', detail: null, startedAt: null, endedAt: null },
});
const pause = async (ms: number) => {
  clock.advance(ms);
  await onPause();
};

async function begin(): Promise<TrackedOperation<NodeOperation>> {
  const operation = await store.nodeOperation('op_1');
  const tracked = await TrackedOperation.begin({ operations: store, clock, pause }, operation, [
    step('first'),
    step('second'),
  ]);
  if (tracked === undefined || tracked === 'again') throw new Error('it was not begun');
  return tracked;
}
const right = async () => ({ state: 'unchanged' as const, detail: 'right' });
const fails = (passing: boolean) => async () => {
  throw new StepProblem('in the way', { passing });
};
const now = () => store.nodeOperation('op_1');

describe('an operation', () => {
  it('tells each step, and that it is done', async () => {
    const tracked = await begin();
    const next = await tracked.toItsEnd(async () => {
      await tracked.progressOf('first', right);
      await tracked.say('seen');
    });
    expect(next).toBeUndefined();
    expect(await now()).toMatchObject({
      ...{ state: 'done', lookAt: null, reason: null },
      steps: [{ state: 'unchanged', detail: 'right', startedAt: clock.now() }, { state: 'waiting' }],
    });
    expect(await store.outputAfter('op_1', 0, 9)).toEqual([{ seq: 1, step: 'first', text: 'seen' }]);
  });

  it('fails with what is in the way, under the name of the step', async () => {
    const tracked = await begin();
    await tracked.toItsEnd(() => tracked.progressOf('second', fails(false)));
    expect(await now()).toMatchObject({ state: 'failed', reason: { code: 'second', message: 'in the way' } });
  });

  it('is patient for five minutes from the first failure of a step on, however long it has run', async () => {
    clock.advance(60 * MINUTE_MS);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const tracked = await begin();
      expect(await tracked.toItsEnd(() => tracked.progressOf('first', fails(true)))).toEqual({
        afterMs: 10_000,
      });
      expect(await now()).toMatchObject({ state: 'running', reason: { code: 'TriedAgain' } });
      clock.advance(4 * MINUTE_MS);
    }
    const last = await begin();
    await last.toItsEnd(() => last.progressOf('first', fails(true)));
    expect(await now()).toMatchObject({ state: 'failed' });
  });

  it('has its patience anew once the step has succeeded', async () => {
    const [first, second] = [await begin(), () => begin()];
    await first.toItsEnd(() => first.progressOf('first', fails(true)));
    clock.advance(4 * MINUTE_MS);
    const better = await second();
    await better.toItsEnd(async () => {
      await better.progressOf('first', right);
      await better.progressOf('second', fails(true));
    });
    clock.advance(4 * MINUTE_MS);
    const worse = await second();
    await worse.toItsEnd(() => worse.progressOf('first', fails(true)));
    expect(await now()).toMatchObject({ state: 'running' });
  });

  it('waits without an end for what is not wrong', async () => {
    clock.advance(60 * MINUTE_MS);
    const tracked = await begin();
    const next = await tracked.toItsEnd(() => {
      throw new StepWaits('two jobs run there');
    });
    expect(next).toEqual({ afterMs: 10_000 });
    expect((await now()).reason).toEqual({ code: 'Waiting', message: 'two jobs run there' });
  });

  it('ends where it is cancelled in the midst of a wait, and of work, which is told', async () => {
    const cancel = async () => {
      await store.changeOperation(await now(), { cancelRequestedAt: clock.now() });
    };
    const tracked = await begin();
    onPause = cancel;
    let stopped = false;
    await tracked.toItsEnd(() =>
      tracked.unlessCancelled(
        (signal) =>
          new Promise<void>((resolve) =>
            signal.addEventListener('abort', () => {
              stopped = true;
              resolve();
            }),
          ),
      ),
    );
    expect(stopped).toBe(true);
    expect(await now()).toMatchObject({ state: 'cancelled', lookAt: null });
  });

  it('is left to the worker that has come first', async () => {
    const tracked = await begin();
    const other = await begin();
    const done: string[] = [];
    await tracked.toItsEnd(async () => {
      await tracked.progressOf('first', right);
      done.push('first');
    });
    expect(done).toEqual([]);
    expect(await now()).toMatchObject({ state: 'running' });
    await other.toItsEnd(() => other.progressOf('first', right));
    expect(await now()).toMatchObject({ state: 'done' });
  });

  it('is not begun where it was cancelled before', async () => {
    const operation = await store.changeOperation(await now(), { cancelRequestedAt: clock.now() });
    if (operation === undefined) throw new Error('it was not changed');
    expect(await TrackedOperation.begin({ operations: store, clock, pause }, operation, [])).toBeUndefined();
    expect(await now()).toMatchObject({ state: 'cancelled' });
  });
});
