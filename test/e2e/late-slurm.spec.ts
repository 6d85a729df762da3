import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, NodeList } from '@bramble/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KubeLab, kubeDown, kubeUp, LAB_NODES } from '../lab/kube/kube-lab.ts';
import { labDown, labUp, type SlurmLab } from '../lab/slurm-lab.ts';
import { TEST_LAB_DIRECTORY } from '../lab/test-lab.ts';
import { type Installation, startInstallation } from './installation.ts';

/** Its slurmctld and its API server are stopped, so they are a lab of its own. */
const DIRECTORY = `${TEST_LAB_DIRECTORY}-late`;
const KUBE_DIRECTORY = `${TEST_LAB_DIRECTORY}-late-kube`;
/** The first time on a machine the programs of Kubernetes are built. */
const BUILD_TIMEOUT_MS = 45 * 60_000;
const SOON = { interval: 200 };
/** Longer than several looks at the cluster. */
const SEVERAL_LOOKS_MS = 3_000;

let lab: SlurmLab;
let kube: KubeLab;
let bramble: Installation;

beforeAll(async () => {
  [lab, kube] = await Promise.all([labUp({ dir: DIRECTORY }), kubeUp({ dir: KUBE_DIRECTORY })]);
  await lab.stopController();
  bramble = await startInstallation(lab, {
    BRAMBLE_KUBECONFIG: kube.kubeconfig,
    BRAMBLE_INVENTORY_INTERVAL_MS: '500',
  });
}, BUILD_TIMEOUT_MS);
afterAll(async () => {
  await bramble.stop();
  await Promise.all([labDown(DIRECTORY), kubeDown(KUBE_DIRECTORY)]);
});

const ask = (path: string) => fetch(`${bramble.worker.url}${path}`);
async function slurmPart(): Promise<unknown> {
  const response = await ask('/readyz');
  expect(response.status).toBe(200);
  return ((await response.json()) as { parts: Record<string, unknown> }).parts.slurm;
}
const submit = () => bramble.admin.jobs.submit({ script: '#!/bin/bash\necho ran >> ran.txt\n' });
const waitsForSlurm = (job: Job) =>
  expect
    .poll(async () => (await job.refresh()).data, SOON)
    .toMatchObject({ state: 'submitting', slurm: null, reason: { code: 'ControllerUnreachable' } });

const nodes = (): Promise<NodeList> => bramble.admin.nodes.list();
const master = async () =>
  (await nodes()).items.find(({ name }) => name === 'kv-master-0')?.kubernetes ?? undefined;
const lookedAt = async () => Date.parse((await master())?.observedAt ?? '');

describe('a worker that starts where Slurm is not there', () => {
  let waiting: Job;
  let unwanted: Job;

  it('answers for its health and its metrics, and says what is missing', async () => {
    expect(await (await ask('/healthz')).json()).toEqual({ status: 'ok' });
    expect(await slurmPart()).toEqual({
      status: 'down',
      required: false,
      because: expect.stringMatching(/scontrol|no answer within/) as string,
    });
    expect(await (await ask('/metrics')).text()).toMatch(/^bramble_leader\S* 1$/m);
    await expect
      .poll(() => bramble.worker.log(), SOON)
      .toContain('Jobs wait for Slurm, everything else goes on: ');
  });

  it('keeps jobs, and tells why they wait', async () => {
    [waiting, unwanted] = await Promise.all([submit(), submit()]);
    await Promise.all([waiting, unwanted].map(waitsForSlurm));
    expect(waiting.data.reason?.message).toMatch(/^Slurm has not answered yet/);
  });

  it('ends a job that is cancelled', async () => {
    await unwanted.cancel();
    await expect.poll(async () => (await unwanted.refresh()).state, SOON).toBe('cancelled');
  });

  it('goes to boards', async () => {
    const { host: address, port, hostKeySha256 } = lab.ssh;
    const { boards } = bramble.admin.admin;
    const signIn = { password: 'unused', hostKey: `SHA256:${'A'.repeat(43)}`, port };
    let operation = await boards.enroll({ name: 'node09', address, roles: ['compute'], signIn });
    for await (const change of boards.watch(operation.id)) operation = change;
    expect(operation).toMatchObject({ state: 'failed', reason: { code: 'sign-in' } });
    expect(operation.reason?.message).toContain(hostKeySha256);
  });

  it('looks at the nodes of Kubernetes', async () => {
    await expect.poll(master, SOON).toMatchObject({ ready: true, unschedulable: false });
    const { items, observedAt } = await nodes();
    expect(observedAt).toBeNull();
    const inKubernetes = items.filter(({ kubernetes }) => kubernetes !== null);
    expect(inKubernetes.map(({ name }) => name)).toEqual(LAB_NODES.map(({ name }) => name));
    const first = {
      ...{ name: 'kv-master-0', address: '10.0.0.100', slurm: null, board: null },
      kubernetes: { roles: ['control-plane'], architecture: 'arm64', problems: [] },
    };
    expect(inKubernetes[0]).toMatchObject(first);
    expect(await bramble.admin.nodes.get('kv-master-0')).toMatchObject({ ...first, observedAt });
  });

  it('sees one of them cordoned, and in service again', async () => {
    const cordon = (unschedulable: boolean | null) =>
      kube.api.patch('/api/v1/nodes/kv-master-0', { spec: { unschedulable } });
    await cordon(true);
    await expect.poll(master, SOON).toMatchObject({ ready: true, unschedulable: true });
    await cordon(null);
    await expect.poll(master, SOON).toMatchObject({ ready: true, unschedulable: false });
  });

  it('keeps the last answer, with its time, while the API server is away', async () => {
    await kube.killApiServer();
    // A question may have been on its way.
    await expect.poll(() => bramble.worker.log(), SOON).toMatch(/"duty":"kubernetes"/);
    const before = await master();
    await sleep(SEVERAL_LOOKS_MS);
    expect(await master()).toEqual(before);
    await kube.startApiServer();
    await expect.poll(lookedAt, SOON).toBeGreaterThan(Date.parse(before?.observedAt ?? ''));
  });

  it('goes on by itself when Slurm answers', async () => {
    await lab.startController();
    await waiting.wait();
    expect(await waiting.file('ran.txt').text()).toBe('ran\n');
    expect(waiting.slurm?.cluster).toBe(lab.clusterName);
    await expect.poll(slurmPart, SOON).toEqual({ status: 'up', required: false });
    const names = [...LAB_NODES.map(({ name }) => name), ...lab.nodes, 'node09'];
    await expect.poll(async () => (await nodes()).items.map(({ name }) => name), SOON).toEqual(names);
    expect((await nodes()).observedAt).not.toBeNull();
  });

  it('ends when it is told to, after all of that', async () => {
    await bramble.worker.stop();
    expect(await bramble.worker.ended()).toEqual({ code: 0, signal: null });
  });
});
