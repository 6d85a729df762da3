import { beforeEach, describe, expect, it } from 'vitest';
import { OperationRuns } from '../../../../../../test/fakes/operation-runs.ts';
import { exited } from '../../../../../../test/fakes/scripted-board.ts';
import type { NodeOperation } from '../../../operations/operation.ts';

let runs: OperationRuns;
beforeEach(() => {
  runs = new OperationRuns();
  runs.slurm.put('node02');
});

const states = ({ steps }: NodeOperation) => steps.map(({ name, state }) => `${name}: ${state}`);
const node = (name = 'node02') => runs.slurm.nodes.get(name);

describe('draining', () => {
  it('tells Slurm, with the reason, and once', async () => {
    const drained = await runs.run(await runs.begin('drain', { reason: 'new fan' }));
    expect([drained.state, ...states(drained)]).toEqual(['done', 'drain: applied']);
    expect(node()).toMatchObject({ flags: ['drain'], reason: 'new fan' });
    expect(states(await runs.run(await runs.begin('drain', { reason: 'new fan' })))).toEqual([
      'drain: unchanged',
    ]);
    expect(states(await runs.run(await runs.begin('drain')))).toEqual(['drain: unchanged']);
    expect(states(await runs.run(await runs.begin('drain', { reason: 'other' })))).toEqual([
      'drain: applied',
    ]);
  });

  it('does for nodes that are no boards, and not for those that are not there', async () => {
    runs.slurm.put('old01');
    expect(await runs.run(await runs.begin('drain', {}, 'old01', null))).toMatchObject({ state: 'done' });
    const nowhere = await runs.run(await runs.begin('drain', {}, 'old02', null));
    expect(nowhere).toMatchObject({ state: 'failed', reason: { message: 'Slurm has no node "old02".' } });
  });

  it('waits for a Slurm that is away', async () => {
    runs.slurm.find = async () => ({ kind: 'unknown', because: 'no answer' });
    const waiting = await runs.run(await runs.begin('drain'));
    expect(waiting).toMatchObject({ state: 'running', reason: { code: 'TriedAgain' } });
  });
});

describe('resuming', () => {
  it('puts the node into service', async () => {
    await runs.run(await runs.begin('drain'));
    expect(states(await runs.run(await runs.begin('resume')))).toEqual(['resume: applied']);
    expect(node()).toMatchObject({ flags: [], reason: null });
    expect(states(await runs.run(await runs.begin('resume')))).toEqual(['resume: unchanged']);
  });

  it('gives up on a node that does not come back, in words', async () => {
    runs.slurm.put('node02', { state: 'down', flags: ['not_responding'], reason: 'gone' });
    runs.slurm.resume = async () => ({ kind: 'present', value: true });
    const failed = await runs.run(await runs.begin('resume'));
    expect(failed.reason?.message).toBe(
      'Slurm has the node as down+not_responding (gone): does slurmd run there?',
    );
  });
});

describe('rebooting', () => {
  let boot: number;
  beforeEach(async () => {
    boot = 1;
    await runs.add();
    runs.machine.answer = ({ argv }) => {
      if (argv[0] === 'cat') return exited(0, `boot-${boot}\n`);
      if (argv[0] === 'systemctl') boot += 1;
      return argv[0] === 'sh' ? exited(0, FACTS) : undefined;
    };
  });

  it('drains, restarts and resumes', async () => {
    const done = await runs.run(await runs.begin('reboot', { reason: 'new kernel' }));
    expect([done.state, ...states(done)]).toEqual([
      ...['done', 'sign-in: unchanged', 'facts: unchanged', 'drain: applied', 'jobs: unchanged'],
      ...['reboot: applied', 'resume: applied'],
    ]);
    expect(boot).toBe(2);
    expect(node()).toMatchObject({ flags: [] });
  });

  it('waits for jobs as long as it takes, unless it is forced', async () => {
    runs.slurm.put('node02', { state: 'allocated', cpusAllocated: 4 });
    const begun = await runs.begin('reboot');
    const message = 'Jobs run on 4 CPUs of "node02".';
    for (let day = 0; day < 3; day += 1) {
      expect(await runs.run(begun)).toMatchObject({ state: 'running', reason: { code: 'Waiting', message } });
      runs.clock.advance(24 * 60 * 60_000);
    }
    expect(node()?.flags).toEqual(['drain']);
    runs.slurm.put('node02', { state: 'idle', flags: ['drain'], reason: 'Bramble: reboot' });
    expect(await runs.run(begun)).toMatchObject({ state: 'done' });
    expect(boot).toBe(2);
    runs.slurm.put('node02', { state: 'allocated', cpusAllocated: 4 });
    expect(await runs.run(await runs.begin('reboot', { force: true }))).toMatchObject({ state: 'done' });
  });

  it('restarts once where the worker dies on the way', async () => {
    const begun = await runs.begin('reboot');
    const { answer } = runs.machine;
    runs.machine.answer = (command) => {
      answer(command);
      if (command.argv[0] === 'systemctl') throw new Error('this process was killed');
      return answer(command);
    };
    await expect(runs.run(begun)).rejects.toThrow('killed');
    expect(boot).toBe(2);
    runs.machine.answer = answer;
    expect(states(await runs.run(begun))).toContain('reboot: unchanged');
    expect(boot).toBe(2);
    expect(node()).toMatchObject({ flags: [] });
  });

  it('leaves a node drained that somebody else had drained', async () => {
    runs.slurm.put('node02', { flags: ['drain'], reason: 'broken fan' });
    const done = await runs.run(await runs.begin('reboot'));
    expect(states(done).slice(2)).toEqual([
      'drain: unchanged',
      'jobs: unchanged',
      'reboot: applied',
      'resume: unchanged',
    ]);
    expect(node()).toMatchObject({ flags: ['drain'], reason: 'broken fan' });
  });

  it('says so where the board does not restart', async () => {
    runs.machine.answer = ({ argv }) =>
      argv[0] === 'cat' ? exited(0, 'boot-1\n') : argv[0] === 'sh' ? exited(0, FACTS) : undefined;
    const failed = await runs.run(await runs.begin('reboot'));
    expect(failed.reason).toEqual({
      code: 'reboot',
      message: 'The board was told to restart, and did not.',
    });
  });
});

describe('decommissioning', () => {
  beforeEach(async () => {
    await runs.add();
    runs.slurm.put('node02', { flags: ['dynamic_norm'] });
    const { machine } = runs;
    machine.answer = ({ argv, input }) => {
      const mark = /probe [0-9a-f-]{36}/.exec(input ?? '')?.[0];
      if (mark !== undefined) return exited(0, `\n${mark} 0\n`.repeat(2));
      if (argv[2]?.startsWith('grep -qxF') === true)
        return exited(0, machine.authorizedKeys.has('managed') ? 'yes\n' : 'no\n');
      if (argv[2]?.includes('grep -vxF') === true) machine.authorizedKeys.delete('managed');
      return argv[2]?.includes('get_throttled') === true ? exited(0, FACTS) : undefined;
    };
  });

  it('takes the board out of Slurm, removes the key last, and forgets it', async () => {
    const done = await runs.run(await runs.begin('decommission'));
    expect([done.state, done.steps.at(-1)?.state]).toEqual(['done', 'applied']);
    expect(node()).toBeUndefined();
    expect(runs.machine.authorizedKeys.size).toBe(0);
    await expect(runs.store.findByName('node02')).resolves.toBeUndefined();
  });

  it('comes to its end where the worker dies after the key was removed', async () => {
    const begun = await runs.begin('decommission');
    const { answer } = runs.machine;
    runs.machine.answer = (command) => {
      const end = answer(command);
      if (command.argv[2]?.includes('grep -vxF') === true) throw new Error('this process was killed');
      return end;
    };
    await expect(runs.run(begun)).rejects.toThrow('killed');
    runs.machine.answer = answer;
    expect(await runs.run(begun)).toMatchObject({ state: 'done' });
    await expect(runs.store.findByName('node02')).resolves.toBeUndefined();
  });

  it('needs the board, unless it is forced', async () => {
    runs.machine.reachable = false;
    runs.slurm.put('node02', { flags: ['dynamic_norm'], state: 'allocated', cpusAllocated: 4 });
    const begun = await runs.begin('decommission');
    expect(await runs.run(begun)).toMatchObject({ state: 'running', reason: { code: 'TriedAgain' } });
    runs.clock.advance(6 * 60_000);
    expect(await runs.run(begun)).toMatchObject({ state: 'failed', reason: { code: 'sign-in' } });
    const forced = await runs.run(await runs.begin('decommission', { force: true }));
    expect(forced).toMatchObject({ state: 'done' });
    expect(node()).toBeUndefined();
    await expect(runs.store.findByName('node02')).resolves.toBeUndefined();
  });

  it('that is forced leaves nothing on a board that can be reached', async () => {
    await runs.run(await runs.begin('decommission', { force: true }));
    expect(runs.machine.authorizedKeys.size).toBe(0);
  });
});

const FACTS = [
  ...[
    ['machineId', 'f00d'],
    ['hostname', 'node02'],
    ['architecture', 'arm64'],
    ['cpus', '4'],
  ],
  ...[
    ['memory', '3884312'],
    ['pageSize', '4096'],
    ['os', 'debian 12'],
    ['kernel', '6.6'],
    ['time', '1772366401.5'],
  ],
]
  .map((line) => line.join('\t'))
  .join('\n');
