import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BoardStep, differs, right, type StepContext } from '#core/nodes/board-step';
import { hasRebooted, rebootBoard } from '#core/nodes/reboot-board';
import { runLong } from '#core/nodes/run-long';
import { type BoardsLab, boardsDown, boardsUp } from '../../lab/boards/boards-lab.ts';
import { TEST_LAB_DIRECTORY } from '../../lab/test-lab.ts';
import { existing } from '../../fakes/existing.ts';
import { stepsOnBoards } from './board-steps.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-long-work`;
let lab: BoardsLab;
beforeAll(async () => {
  lab = await boardsUp({ dir: DIRECTORY, boards: 1 });
});
afterAll(() => boardsDown(DIRECTORY));

const boards = stepsOnBoards();
const machine = () => existing(lab.boards[0]);

const longStep = (name: string, script: string, timeoutMs = 60_000, ...args: string[]): BoardStep => ({
  ...{ name, title: name, roles: null },
  probe: () => ({ script: 'cat "/var/tmp/$1" 2> /dev/null || true', args: [name] }),
  check: (seen) => (seen.endsWith('done\n') ? right(seen) : differs(seen)),
  apply: (context) => runLong(context, { name, script, args, timeoutMs }),
});

function bound(target: StepContext, key: string | symbol): unknown {
  const value: unknown = Reflect.get(target, key, target);
  return typeof value === 'function' ? (value.bind(target) as unknown) : value;
}

describe('long work on a board', () => {
  it('shows what it writes, with its arguments as they are', async () => {
    const step = longStep(
      'words',
      'printf "<%s>\\n" "$@"; echo done > /var/tmp/words',
      60_000,
      "a b'",
      '$(id)',
    );
    const operation = await boards.enrol(machine(), 'node02', [step]);
    expect(operation).toMatchObject({ state: 'done', reason: null });
    const output = await boards.output(operation);
    expect(output.map(({ step: name, text }) => [name, text])).toEqual([['words', "<a b'>\n<$(id)>\n"]]);
  });

  it('fails with the end of what it wrote', async () => {
    const failing = await boards.run('node02', [longStep('failing', 'echo before; false; echo after')]);
    expect(failing).toMatchObject({
      state: 'failed',
      reason: { message: 'failing failed with exit code 1: before' },
    });
    const overdue = await boards.run('node02', [longStep('overdue', 'echo begun; sleep 60', 1_000)]);
    expect(overdue).toMatchObject({ state: 'failed', reason: { message: 'overdue took too long: begun' } });
  });

  it('goes on while the board is out of reach, and is done once', async () => {
    const script = 'echo once >> /var/tmp/counted; sleep 4; echo done > /var/tmp/cut; echo end';
    const ended = boards.run('node02', [longStep('cut', script)]);
    await expect.poll(() => machine().run(['cat', '/var/tmp/counted'])).toMatchObject({ exitCode: 0 });
    await machine().cutNetwork();
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    await machine().restoreNetwork();
    expect(await ended).toMatchObject({ state: 'done' });
    expect(await machine().readFile('/var/tmp/counted')).toBe('once\n');
  });

  it('is found again by the next worker', async () => {
    const script = 'echo once >> /var/tmp/found-count; sleep 3; echo done > /var/tmp/found';
    const step = longStep('found', script);
    const killed: BoardStep = {
      ...step,
      apply: async (context) => {
        const pause = () => Promise.reject(new Error('killed'));
        const dying = new Proxy(context, {
          get: (target, key) => (key === 'pause' ? pause : bound(target, key)),
        });
        return runLong(dying, { name: 'found', script, timeoutMs: 60_000 });
      },
    };
    await expect(boards.run('node02', [killed])).rejects.toThrow('killed');
    const [{ id } = { id: '' }] = await boards.store.operationsOf('node', 'node02', 1);
    expect(await boards.goOn(id, [step])).toMatchObject({ state: 'done' });
    expect(await machine().readFile('/var/tmp/found-count')).toBe('once\n');
  });

  it('and a restart of the board end when it is back as another boot', async () => {
    const before = await machine().bootId();
    const step: BoardStep = {
      ...{ name: 'reboot', title: 'reboot', roles: null },
      check: async (_, context) =>
        (await hasRebooted(context, 'reboot')) ? right('back') : differs('not yet'),
      apply: async (context) => {
        await rebootBoard(context, 'reboot');
        return 'restarted';
      },
    };
    expect(await boards.run('node02', [step])).toMatchObject({ state: 'done' });
    expect(await machine().bootId()).not.toBe(before);
  });
});
