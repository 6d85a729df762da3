import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { JobFailedError } from '@bramble/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labDown, labUp, type SlurmLab } from '../lab/slurm-lab.ts';
import { TEST_LAB_DIRECTORY } from '../lab/test-lab.ts';
import { type Installation, startInstallation } from './installation.ts';

let lab: SlurmLab;
let bramble: Installation;

beforeAll(async () => {
  // A lab of its own: its nodes fail. Half of the age has to pass before it is certain that a claim will not come late.
  lab = await labUp({ dir: `${TEST_LAB_DIRECTORY}-unstarted`, settings: { minJobAgeSeconds: 20 } });
  bramble = await startInstallation(lab);
});
afterAll(async () => {
  await bramble.stop();
  await labDown(lab.dir);
});

/** Where slurmd makes the directories of the first jobs, on every node. */
const places = (): string[] => {
  const nodes = join(lab.dir, 'nodes');
  const names = Array.from({ length: 20 }, (_, index) => `job${String(index + 1).padStart(5, '0')}`);
  return readdirSync(nodes).flatMap((node) => names.map((name) => join(nodes, node, name)));
};

describe('a job that no node can start', () => {
  it('has failed for its node, and says that nothing of it has run', async () => {
    const script = '#!/bin/bash\necho ran\n';
    for (const place of places()) writeFileSync(place, '');
    const job = await bramble.admin.jobs.submit({ script });
    const error: unknown = await job.wait().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(JobFailedError);
    expect(job).toMatchObject({ state: 'node_failed', exitCode: null, reason: { code: 'NotStarted' } });
    expect(job.data.startedAt).toBeNull();

    for (const place of places()) rmSync(place, { recursive: true, force: true });
    const again = await bramble.admin.jobs.submit({ script });
    await expect(again.wait()).resolves.toMatchObject({ data: { state: 'completed' } });
  });
});
