import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { LocalTransport } from '#infra/slurm/local-transport';
import { SlurmCliController } from '#infra/slurm/slurm-cli-controller';
import { SlurmCliInventory } from '#infra/slurm/slurm-cli-inventory';
import { defaultLabDirectory } from '../lab/lab-directory.ts';
import { labDown, labUp, type SlurmLab } from '../lab/slurm-lab.ts';
import { slowSbatch } from './slow-sbatch.ts';
import { slurmControllerConformance } from './slurm-controller.conformance.ts';

/** Its controller is stopped, so it is a lab of its own. */
const DIRECTORY = `${defaultLabDirectory()}-local`;

describe('Slurm on this machine', () => {
  let lab: SlurmLab;
  const transport = new LocalTransport();
  const ways = () => ({ transport, binDir: lab.binDir, slurmConf: lab.slurmConf });

  slurmControllerConformance(async () => {
    lab = await labUp({ dir: DIRECTORY });
    const controller = new SlurmCliController({ ...ways(), submitTimeoutMs: 20_000 });
    expect(await controller.settings()).toMatchObject({
      kind: 'present',
      value: {
        cluster: lab.clusterName,
        submitCertaintyMs:
          transport.startsWithinMs + 20_000 + 2_000 + lab.messageTimeoutSeconds * 1_000 + 3_000,
      },
    });
    return { lab, controller, inventory: new SlurmCliInventory(ways()), close: () => labDown(DIRECTORY) };
  });

  it('ends an sbatch whose time is up, so that it does nothing later', async () => {
    const controller = new SlurmCliController({
      ...ways(),
      binDir: slowSbatch(lab, 4),
      submitTimeoutMs: 1_000,
    });
    await controller.settings();
    const ids = async () => {
      const listed = await controller.list();
      if (listed.kind !== 'present') throw new Error('the lab does not answer');
      return listed.value.map(({ id }) => id);
    };
    const account = await controller.account(lab.accounts.first);
    if (account.kind !== 'present') throw new Error('the lab has no account');
    const before = await ids();
    expect(await controller.submit({ script: '#!/bin/sh\ntrue\n', account: account.value })).toMatchObject({
      kind: 'unclear',
    });
    await sleep(5_000);
    // Those of before may be forgotten meanwhile.
    expect(before).toEqual(expect.arrayContaining(await ids()));
  });

  it('says clearly that Slurm is not to be had', async () => {
    const controller = new SlurmCliController({ ...ways(), binDir: '/nonexistent' });
    expect(await controller.settings()).toEqual({
      kind: 'unknown',
      because:
        "Slurm's configuration could not be read: scontrol show config could not be started: spawn /nonexistent/scontrol ENOENT",
    });
  });
});
