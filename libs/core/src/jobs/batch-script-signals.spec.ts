import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { BatchNode, type BatchRun, until } from '../../../../test/fakes/batch-node.ts';
import { SeededRandom } from '../../../../test/fakes/seeded-random.ts';
import type { JobRequestBody } from './job-request.ts';

const nodes: BatchNode[] = [];
afterEach(() => nodes.splice(0).forEach((node) => node.remove()));

function start(body: JobRequestBody): { node: BatchNode; run: BatchRun } {
  const node = new BatchNode();
  nodes.push(node);
  return { node, run: node.start(node.render(body)) };
}

/** A program that says when it is ready and does `onSignal` at SIGTERM. Not in bash, which can lose a trapped signal. */
const perl = (onSignal: string): JobRequestBody => ({ command: ['perl', '-e', program(onSignal)] });
const program = (onSignal: string): string => `
  sub put { open my $file, ">", $_[0]; print $file $$ }
  put "program";
  ${onSignal === '' ? '' : `$SIG{TERM} = sub { $SIG{TERM} = "IGNORE"; ${onSignal} };`}
  put "ready";
  select undef, undef, undef, 0.01 while 1;`;

describe('SIGTERM to a batch script', () => {
  it('is passed on, and the status that the program then chooses is recorded', async () => {
    const { node, run } = start(perl('put "saved"; exit 7'));
    await until(() => node.has('ready'));
    run.child.kill('SIGTERM');
    await expect(run.ended).resolves.toEqual({ status: 7, signal: null });
    expect(node.exitRecord()).toMatchObject({ phase: 'run', status: 7 });
    expect(node.has('saved')).toBe(true);
  });

  it('ends a program that does not catch it, with the status of the signal', async () => {
    const { node, run } = start(perl(''));
    await until(() => node.has('ready'));
    run.child.kill('SIGTERM');
    await expect(run.ended).resolves.toMatchObject({ status: 143 });
    expect(node.exitRecord()).toMatchObject({ phase: 'run', status: 143 });
  });

  it('is waited out where the program takes its time', async () => {
    const { node, run } = start(perl('select undef, undef, undef, 0.4; exit 5'));
    await until(() => node.has('ready'));
    run.child.kill('SIGTERM');
    await setTimeout(50);
    run.child.kill('SIGTERM');
    await expect(run.ended).resolves.toMatchObject({ status: 5 });
    expect(node.exitRecord()).toMatchObject({ status: 5 });
  });

  it('may come again and again without changing what is recorded', async () => {
    const { node, run } = start(perl('select undef, undef, undef, 0.2; exit 6'));
    await until(() => node.has('ready'));
    for (let count = 0; count < 30; count += 1) {
      run.child.kill('SIGTERM');
      await setTimeout(4);
    }
    const ended = await run.ended;
    expect(ended).toEqual({ status: 6, signal: null });
    expect(node.exitRecord()).toMatchObject({ status: 6 });
  });

  it('to all processes of the job, as Slurm sends it, still leaves a record', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { node, run } = start(perl('exit 7'));
      await until(() => node.has('ready'));
      const group = -(run.child.pid ?? 0);
      process.kill(group, 'SIGTERM');
      await setTimeout(round);
      try {
        process.kill(group, 'SIGTERM');
      } catch {
        // All of them have ended.
      }
      await expect(run.ended).resolves.toEqual({ status: 7, signal: null });
      expect(node.exitRecord()).toMatchObject({ status: 7 });
    }
  }, 60_000);

  it('while the source is being compiled ends the job there', async () => {
    const node = new BatchNode();
    nodes.push(node);
    node.install('mpicc', `#!/usr/bin/perl\n${program('exit 0')}\n`);
    node.install('mpirun', '#!/bin/sh\ntouch launched\n');
    const run = node.start(node.render({ mpi: { source: { name: 'a.c', content: 'x' } } }));
    await until(() => node.has('ready'));
    run.child.kill('SIGTERM');
    await expect(run.ended).resolves.toEqual({ status: null, signal: 'SIGTERM' });
    await until(() => !isAlive(Number(node.read('program'))));
    expect(node.has('launched')).toBe(false);
    expect(node.exitRecord()).toBeUndefined();
  });

  it('at any moment ends the job and tells the truth', async () => {
    const begunAt = performance.now();
    const { node: first } = start(perl('exit 7'));
    await until(() => first.has('ready'));
    const startMs = performance.now() - begunAt;

    const random = new SeededRandom(5);
    const seen = new Set<string>();
    for (let round = 0; round < 80; round += 1) {
      const { node, run } = start(perl('exit 7'));
      if (round % 8 === 1) await until(() => node.has('ready'));
      else if (round % 8 !== 0) await setTimeout(random.next() * startMs * 1.3);
      run.child.kill('SIGTERM');
      const { status, signal } = await run.ended;
      // As slurmstepd does with whatever a batch script leaves behind.
      node.kill(run.child);
      const record = node.exitRecord();
      if (record === undefined) expect([143, 'SIGTERM']).toContain(status ?? signal);
      else {
        expect([7, 143]).toContain(record.status);
        expect(status).toBe(record.status);
      }
      seen.add(record === undefined ? 'nothing' : String(record.status));
      node.remove();
    }
    expect([...seen]).toEqual(expect.arrayContaining(['nothing', '7']));
  }, 60_000);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
