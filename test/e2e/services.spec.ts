import { mkdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConflictError, InvalidRequestError, type Operation } from '@bramble/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Catalog } from '#core/services/catalog/catalog';
import { lab as labValues } from '../charts/bramble-values.ts';
import { ChartRights } from '../integration/services/chart-rights.ts';
import { ensureLabAccounts, LAB_ACCOUNTS } from '../lab/accounts.ts';
import { type KubeLab, kubeDown, kubeUp } from '../lab/kube/kube-lab.ts';
import { TEST_LAB_DIRECTORY } from '../lab/test-lab.ts';
import { type Installation, startInstallation } from './installation.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-services`;
const STORAGE = `${DIRECTORY}-storage`;
/** Values of a chart whose image cannot be pulled. */
const missing = (name: string) => ({ image: { repository: `registry.home.lab/missing/${name}` } });
/** The lab has no storage board that it could come from. */
const FILES = { files: { server: '10.0.0.20', path: '/srv/netboot' } };
const NETBOOT = '/apis/apps/v1/namespaces/netboot/deployments/netboot';

let lab: KubeLab;
let bramble: Installation;
let rights: { api: ChartRights; worker: ChartRights };

beforeAll(async () => {
  ensureLabAccounts();
  lab = await kubeUp({ dir: DIRECTORY, audit: true });
  // Nobody provides volumes here.
  await lab.api.create('/api/v1/persistentvolumes', {
    metadata: { name: 'state' },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/state' } },
  });
  const catalog = new Catalog();
  const [home, ...namespaces] = ['bramble', 'netboot', 'slurm'] as const;
  for (const name of [home, ...namespaces])
    await lab.api.create('/api/v1/namespaces', {
      metadata: { name, labels: catalog.find(name)?.namespaceLabels ?? {} },
    });
  // As in pods: with the rights that the chart gives, and no others.
  rights = await ChartRights.of(lab, {
    ...{ release: 'bramble', namespace: home },
    values: { ...labValues, kubernetes: { services: { scope: 'namespaces', namespaces } } },
  });
  mkdirSync(STORAGE, { recursive: true, mode: 0o755 });
  // Without a Slurm: services do without one.
  bramble = await startInstallation(
    {
      ...{ dir: DIRECTORY, storageDir: STORAGE, accounts: LAB_ACCOUNTS },
      ...{ slurmConf: `${DIRECTORY}/no-slurm.conf`, binDir: '/usr/bin' },
    },
    { BRAMBLE_HELM: lab.binaries.helm, BRAMBLE_SERVICE_INTERVAL_MS: '500' },
    {
      api: { BRAMBLE_KUBECONFIG: rights.api.kubeconfig },
      worker: { BRAMBLE_KUBECONFIG: rights.worker.kubeconfig },
    },
  );
}, 45 * 60_000);
afterAll(async () => {
  await bramble.stop();
  await kubeDown(DIRECTORY);
  rmSync(STORAGE, { recursive: true, force: true });
});

const services = () => bramble.admin.services;

async function ended(begun: Operation | Promise<Operation>): Promise<Operation> {
  let last = await begun;
  for await (const operation of bramble.admin.admin.operations.watch(last.id)) last = operation;
  return last;
}
async function done(begun: Promise<Operation>): Promise<Operation> {
  const operation = await ended(begun);
  expect(operation).toMatchObject({ state: 'done', reason: null });
  return operation;
}
async function failed(begun: Promise<Operation>): Promise<string> {
  const operation = await ended(begun);
  expect(operation.state).toBe('failed');
  return operation.reason?.message ?? '';
}
async function shown(begun: Promise<Operation>): Promise<string> {
  const { id } = await begun;
  let text = '';
  for await (const change of bramble.admin.admin.operations.follow(id))
    if (change.kind === 'output') text += change.output.text;
  return text;
}
const stepsOf = ({ steps }: Operation) => Object.fromEntries(steps.map(({ name, state }) => [name, state]));
const revisionOf = async (name: string) => (await services().get(name)).revision;
const helmHistory = async (release: string) => {
  const { stdout } = await lab.helm('history', release, '--namespace', release, '--output', 'json');
  return (JSON.parse(stdout) as { status: string }[]).map(({ status }) => status);
};

describe('a service', () => {
  it('is found in the catalogue by the name of what it succeeds', async () => {
    expect((await services().catalog()).map(({ name }) => name)).toContain('netboot');
    await expect(services().catalogEntry('nginx-ingress')).resolves.toMatchObject({ name: 'ingress' });
  });

  it('is planned without anything being made', async () => {
    expect(await shown(services().install('dhcpd', { settings: FILES, dryRun: true }))).toContain(
      '+ Deployment netboot/netboot',
    );
    await expect(services().list()).resolves.toEqual([]);
    expect((await lab.api.ask('GET', NETBOOT)).status).toBe(404);
  });

  it('is refused before anything is sent where a setting is wrong, or something that it needs is missing', async () => {
    const wrong = services().install('netboot', { settings: { ...FILES, interface: 'no interface' } });
    await expect(wrong).rejects.toThrow(InvalidRequestError);
    await expect(wrong).rejects.toMatchObject({ faults: [{ field: 'settings.interface' }] });
    await expect(services().install('slurm')).rejects.toThrow(/needs metallb/);
    expect(await failed(services().install('slurm-metrics', { force: true }))).toMatch(
      /needs the kind monitoring\.coreos\.com\/.+: install the service monitoring first/,
    );
  });

  it('is installed, becomes ready, and is seen to be so', async () => {
    expect(
      stepsOf(await done(services().install('netboot', { settings: FILES, reason: 'first' }))),
    ).toMatchObject({
      ...{ 'apply netboot': 'applied', 'ready netboot': 'unchanged', undo: 'unchanged' },
    });
    await expect
      .poll(() => services().get('netboot'))
      .toMatchObject({ state: 'ready', revision: 1, workloads: [{ ready: true }] });
  });

  it('is left alone where nothing differs', async () => {
    expect(stepsOf(await done(services().upgrade('netboot')))).toMatchObject({
      'apply netboot': 'unchanged',
    });
  });

  it('is refused by its chart where a value is wrong', async () => {
    const values = { netboot: { dhcp: { mode: 'sometimes' } } };
    expect(await failed(services().upgrade('netboot', { values }))).toMatch(/mode/);
    expect(await helmHistory('netboot')).toEqual(['deployed']);
  });

  it('has one change at a time', async () => {
    const first = await services().upgrade('netboot', { settings: { ...FILES, mode: 'proxy' } });
    await expect(services().upgrade('netboot')).rejects.toThrow(ConflictError);
    expect(await ended(first)).toMatchObject({ state: 'done' });
  });

  it('is changed against those who own fields only by force', async () => {
    await lab.api.patch(`${NETBOOT}?fieldManager=kubectl-edit`, { spec: { replicas: 0 } });
    const settings = { ...FILES, mode: 'proxy' as const, interface: 'eth1' };
    const message = await failed(services().upgrade('netboot', { settings }));
    expect(message).toMatch(/Deployment netboot\/netboot: spec\.replicas belongs to kubectl-edit/);
    const check = await done(services().check('netboot'));
    expect(stepsOf(check)).toEqual({ 'check netboot': 'differs' });
    await done(services().upgrade('netboot', { settings, force: true }));
    expect(stepsOf(await done(services().check('netboot')))).toEqual({ 'check netboot': 'unchanged' });
  });

  it('is brought back to an earlier revision', async () => {
    const { settings } = await services().get('netboot');
    expect(settings).toMatchObject({ interface: 'eth1' });
    await done(services().rollback('netboot', { revision: 1, reason: 'eth1 is broken' }));
    expect((await services().get('netboot')).settings).not.toMatchObject({ interface: 'eth1' });
    expect((await services().history('netboot'))[0]).toMatchObject({
      kind: 'rollback',
      reason: 'eth1 is broken',
    });
  });

  it('is what was asked for, once, although the worker is killed on the way', async () => {
    const before = (await revisionOf('netboot')) ?? 0;
    for (const [index, delayMs] of [150, 500, 900, 1_400, 2_200].entries()) {
      const begun = await services().upgrade('netboot', {
        settings: { ...FILES, interface: `eth${index + 2}` },
      });
      await sleep(delayMs);
      await bramble.worker.kill();
      await bramble.worker.start();
      expect(await ended(begun)).toMatchObject({ state: 'done', reason: null });
      const service = await services().get('netboot');
      expect(service).toMatchObject({
        revision: before + index + 1,
        settings: { ...FILES, interface: `eth${index + 2}` },
      });
      const history = await helmHistory('netboot');
      expect(history.filter((status) => status === 'deployed')).toHaveLength(1);
      expect(history.at(-1)).toBe('deployed');
    }
  });

  it('goes back where an image cannot be pulled, a stateful set too, although the worker is killed meanwhile', async () => {
    await done(services().install('slurm', { force: true }));
    const names = ['netboot', 'slurm'];
    const before = await Promise.all(names.map(revisionOf));
    const begun = await Promise.all(
      names.map((name) => services().upgrade(name, { values: { [name]: missing(name) }, force: true })),
    );
    await sleep(5_000);
    await bramble.worker.kill();
    await bramble.worker.start();
    const ends = await Promise.all(begun.map(ended));
    for (const [index, name] of names.entries()) {
      expect(ends[index]?.reason?.message).toMatch(
        /ImagePullBackOff[^]*missing[^]*was rolled back to revision/,
      );
      expect((await helmHistory(name)).at(-1)).toBe('deployed');
      await expect
        .poll(() => services().get(name))
        .toMatchObject({ state: 'ready', revision: before[index] });
    }
  });

  it('tells of events and of what its pods write', async () => {
    const { items } = (await lab.api.get('/api/v1/namespaces/netboot/pods')) as {
      items: { metadata: { name: string } }[];
    };
    const pod = items[0]?.metadata.name ?? '';
    await lab.printLines({ namespace: 'netboot', pod, container: 'dnsmasq' }, ['dnsmasq: started']);
    await expect
      .poll(async () => (await services().logs('netboot')).flatMap(({ lines }) => lines))
      .toContain('dnsmasq: started');
    expect((await services().events('netboot')).map(({ code }) => code)).toContain('ScalingReplicaSet');
  });

  it('goes, and tells what it leaves', async () => {
    const gone = await done(services().uninstall('slurm'));
    expect(gone.steps.find(({ name }) => name === 'leftovers')?.detail).toMatch(
      /PersistentVolumeClaim slurm\//,
    );
    await done(services().uninstall('netboot'));
    await expect(services().list()).resolves.toEqual([]);
  });

  it('needs no more rights than the chart gives', () => {
    expect([...rights.worker.refused(), ...rights.api.refused()]).toEqual([]);
  });
});
