import { readdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { BatchNode, until } from '../../../../test/fakes/batch-node.ts';
import { SeededRandom } from '../../../../test/fakes/seeded-random.ts';
import { STARTED_AGAIN_STATUS } from './batch-script.ts';

const nodes: BatchNode[] = [];
afterEach(() => nodes.splice(0).forEach((node) => node.remove()));

function newNode(): BatchNode {
  const node = new BatchNode();
  nodes.push(node);
  return node;
}

/** Adds a line to the file `work`, each time it runs. */
const WORK = { script: '#!/bin/sh\necho "$SLURM_JOB_ID" >> work\nexit 3\n' };
const workOf = (node: BatchNode): string[] =>
  node.has('work') ? node.read('work').split('\n').slice(0, -1) : [];

describe('the claim of a batch script', () => {
  it('lets one of twenty copies that start at once do the work', async () => {
    const node = newNode();
    const script = node.render(WORK);
    const ids = Array.from({ length: 20 }, (_, index) => 100 + index);
    const ended = await Promise.all(ids.map((slurmJobId) => node.start(script, { slurmJobId }).ended));

    const holder = node.claim();
    expect(ids).toContain(holder);
    expect(workOf(node)).toEqual([String(holder)]);
    expect(node.exitRecord()).toMatchObject({ slurmJobId: holder, status: 3 });
    expect(node.startRecord()).toMatchObject({ slurmJobId: holder });
    expect(ended.map(({ status }) => status).sort()).toEqual([...Array<number>(19).fill(0), 3]);
    expect(readdirSync(node.control).sort()).toEqual(['claim', 'exit', 'script', 'start']);
  });

  it('turns away a copy that starts long after', async () => {
    const node = newNode();
    await node.run(WORK, { slurmJobId: 1 });
    const before = node.exitRecord();
    await expect(node.run(WORK, { slurmJobId: 2 })).resolves.toEqual({ status: 0, signal: null });
    expect(workOf(node)).toEqual(['1']);
    expect(node.claim()).toBe(1);
    expect(node.exitRecord()).toEqual(before);
  });

  it('lets the same Slurm job pass when it is requeued', async () => {
    const node = newNode();
    await node.run(WORK, { slurmJobId: 1 });
    await expect(node.run(WORK, { slurmJobId: 1, restarts: 1 })).resolves.toMatchObject({ status: 3 });
    expect(workOf(node)).toEqual(['1', '1']);
    expect(node.claim()).toBe(1);
  });

  it('turns the same Slurm job away when it is started again without a requeue, with the status that it had', async () => {
    const node = newNode();
    for (const restarts of [0, 0, 1, 1]) {
      await expect(node.run(WORK, { slurmJobId: 1, restarts })).resolves.toMatchObject({ status: 3 });
    }
    expect(workOf(node)).toEqual(['1', '1']);
  });

  it('says that it was started again where the first run has left no end', async () => {
    const node = newNode();
    await node.run({ command: ['bash', '-c', 'kill -KILL $PPID'] });
    await expect(node.run(WORK)).resolves.toMatchObject({ status: STARTED_AGAIN_STATUS });
    expect(workOf(node)).toEqual([]);
  });

  it('does not let the end of an earlier run stand for that of the requeued one', async () => {
    const node = newNode();
    await node.run({ command: ['true'] });
    expect(node.exitRecord()?.status).toBe(0);
    await node.run({ command: ['bash', '-c', 'kill -KILL $PPID'] }, { restarts: 1 });
    expect(node.exitRecord()).toBeUndefined();
  });

  it('is not taken over by what a killed copy with the same process id has left', async () => {
    const node = newNode();
    // It would be half a claim: the file is there, and empty.
    const attempt = `"${node.control}/attempt.7.$$"`;
    const before = `mkdir ${attempt}; : > ${attempt}/slurm_job_id`;
    await expect(node.run(WORK, { before })).resolves.toMatchObject({ status: 3 });
    expect(node.claim()).toBe(7);
  });

  it('is there whole or not at all, whenever the script is killed', async () => {
    const first = newNode();
    const begunAt = performance.now();
    first.start(first.render(WORK));
    await until(() => first.has('work'));
    const startMs = performance.now() - begunAt;

    const random = new SeededRandom(4);
    const holders = new Set<number | undefined>();
    for (let round = 0; round < 60; round += 1) {
      const node = newNode();
      const script = node.render(WORK);
      const { child, ended } = node.start(script, { slurmJobId: 1 });
      if (round % 6 === 1) await until(() => node.claim() === 1);
      else if (round % 6 !== 0) await setTimeout(random.next() * startMs);
      node.kill(child);
      await ended;

      // The next copy does the work, or leaves it to the one that was killed; there is nothing in between.
      const { status } = await node.start(script, { slurmJobId: 2 }).ended;
      const holder = node.claim();
      expect(status).toBe(holder === 1 ? 0 : 3);
      expect(workOf(node).filter((id) => id === '2')).toHaveLength(holder === 1 ? 0 : 1);
      holders.add(holder);
      node.remove();
    }
    expect([...holders].sort()).toEqual([1, 2]);
  }, 60_000);
});
