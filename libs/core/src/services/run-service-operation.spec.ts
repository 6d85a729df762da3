import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { idOf } from '../../../../test/fakes/counting-ids.ts';
import { existing } from '../../../../test/fakes/existing.ts';
import { FakeHelmReleases } from '../../../../test/fakes/fake-helm-releases.ts';
import {
  FakeServiceObjects,
  readyHealth,
  unreadyHealth,
} from '../../../../test/fakes/fake-service-objects.ts';
import { ManualClock } from '../../../../test/fakes/manual-clock.ts';
import { MemoryOperationStore } from '../../../../test/fakes/memory-operation-store.ts';
import { MemoryServiceStore } from '../../../../test/fakes/memory-service-store.ts';
import { plainSecretBox } from '../../../../test/fakes/plain-secret-box.ts';
import type { ServiceOperation } from '../operations/operation.ts';
import { present, unknown } from '../vocabulary/answer.ts';
import { Catalog } from './catalog/catalog.ts';
import { catalogEntry } from './catalog/catalog-entry.ts';
import type { ServiceSite } from './catalog/service-site.ts';
import type { ReleaseName } from './helm-releases.ts';
import { RunServiceOperation, type RunServiceOperationPorts } from './run-service-operation.ts';
import { sealWanted } from './service.ts';
import type { ObjectChange, ObjectRef } from './service-objects.ts';

const entryOf = (name: string, releases: string[], dependsOn: string[] = []) =>
  catalogEntry({
    ...{ name, aliases: [], title: name, description: '', namespace: `${name}-space` },
    ...{ namespaceLabels: { lab: 'yes' }, constraints: {}, dependsOn, forceConflicts: false },
    timeoutMs: 60_000,
    settings: () => z.strictObject({ size: z.int().default(1), password: z.string().default('') }),
    parts: ({ size, password }) =>
      releases.map((release) => ({
        release,
        chart: { kind: 'oci', url: `oci://registry.test/${release}`, version: '1.0.0', digest: null },
        values: { size, password },
      })),
    addressSettings: [],
    secretSettings: ['password'],
  });

const SITE: ServiceSite = {
  ...{ domain: 'home.lab', subnet: '10.0.0.0/24', storage: null, storageClass: null },
  ...{ boards: [], slurm: null },
};
const deployment = ({ name, namespace }: ReleaseName): ObjectRef => ({
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name },
});
const change = (release: ReleaseName, fields: Partial<ObjectChange> = {}): ObjectChange => ({
  ...{ object: deployment(release), change: 'change', fields: [], message: null },
  ...fields,
});

const PROBLEM = [{ lasting: true, code: 'ImagePullBackOff', lastLines: ['last words'] }];

let helm: FakeHelmReleases;
let objects: FakeServiceObjects;
let operations: MemoryOperationStore;
let services: MemoryServiceStore;
let clock: ManualClock;
let count: number;
let onPause: () => void | Promise<void>;

beforeEach(() => {
  helm = new FakeHelmReleases();
  objects = new FakeServiceObjects();
  objects.onDiff = (release, manifest, before) => present(manifest === before ? [] : [change(release)]);
  operations = new MemoryOperationStore();
  services = new MemoryServiceStore();
  clock = new ManualClock();
  count = 0;
  onPause = () => {};
});

const runner = (changes: Partial<RunServiceOperationPorts> = {}) =>
  new RunServiceOperation({
    ...{ operations, services, clock, secrets: plainSecretBox },
    catalog: new Catalog([entryOf('one', ['first', 'second']), entryOf('other', ['third'], ['one'])]),
    cluster: { helm, objects, mirror: noMirror, registry: null },
    site: async () => SITE,
    boardPages: async () => [],
    pause: async (ms) => {
      clock.advance(ms);
      await onPause();
    },
    ...changes,
  });
const noMirror = {
  images: async () => unknown('not asked'),
  start: async () => unknown('not asked'),
  state: async () => unknown('not asked'),
  stop: async () => unknown('not asked'),
};

async function begin(
  kind: ServiceOperation['kind'],
  settings: Record<string, unknown> | null = {},
  parameters: Partial<ServiceOperation['parameters']> = {},
  subject = 'one',
): Promise<string> {
  const id = idOf('op', (count += 1));
  const sealedWanted =
    settings === null ? null : sealWanted(subject, { settings, values: {} }, plainSecretBox);
  await operations.begin<ServiceOperation>({
    ...{ id, about: 'service', subject, boardId: null, kind, steps: [], createdAt: clock.now() },
    parameters: {
      ...{ reason: null, force: false, keepFailed: false, revision: null, sealedWanted },
      ...parameters,
    },
  });
  return id;
}
const stored = async (id: string) => existing(await operations.findOperation(id));
async function run(id: string) {
  await runner().run(id);
  return stored(id);
}
const done = async (...asked: Parameters<typeof begin>) => {
  const operation = await run(await begin(...asked));
  expect(operation).toMatchObject({ state: 'done', reason: null });
  return operation;
};
const stepsOf = ({ steps }: { steps: { name: string; state: string }[] }) =>
  Object.fromEntries(steps.map(({ name, state }) => [name, state]));
const applied = () => helm.calls.filter(({ verb }) => verb === 'apply').map(({ release }) => release.name);
const deployedOf = async (name: string) => {
  const found = await helm.find({ name, namespace: 'one-space' });
  return found.kind === 'present' ? [found.value.revision, found.value.state] : found.kind;
};
const breakAt = (name: string, healthy = 0) => {
  objects.onHealth = (release) =>
    release.name === name && (healthy -= 1) < 0
      ? present(unreadyHealth(PROBLEM, deployment(release)))
      : present(readyHealth());
};

describe('an installation', () => {
  it('brings one release after the other, and keeps what it has come to', async () => {
    const operation = await done('install', { size: 2, password: 'hush' }, { reason: 'for the lab' });
    expect(stepsOf(operation)).toEqual({
      ...{ cluster: 'unchanged', recover: 'unchanged', namespace: 'unchanged', undo: 'unchanged' },
      ...{ 'apply first': 'applied', 'ready first': 'unchanged' },
      ...{ 'apply second': 'applied', 'ready second': 'unchanged' },
    });
    expect(applied()).toEqual(['first', 'second']);
    expect(objects.namespaces.get('one-space')).toEqual({ lab: 'yes' });
    expect(existing(await services.find('one')).current).toMatchObject({
      ...{ revision: 1, kind: 'install', reason: 'for the lab', operationId: operation.id },
      parts: [
        { release: 'first', namespace: 'one-space', helmRevision: 1 },
        { release: 'second', helmRevision: 1 },
      ],
    });
    expect(JSON.stringify(await operations.outputAfter(operation.id, 0, 1000))).not.toContain('hush');
  });

  it('ends as soon as something does not pass, says why, and leaves nothing', async () => {
    breakAt('second');
    const operation = await run(await begin('install'));
    expect(operation).toMatchObject({ state: 'failed', reason: { code: 'ready second' } });
    expect(operation.reason?.message).toMatch(
      /ImagePullBackOff[^]*last words[^]*"second" was uninstalled; "first" was uninstalled/,
    );
    expect(stepsOf(operation)).toMatchObject({ 'ready second': 'failed', undo: 'applied' });
    expect([await deployedOf('first'), await deployedOf('second')]).toEqual(['absent', 'absent']);
    expect(existing(await services.find('one')).current).toBeNull();
  });

  it('leaves what has failed where that is wanted', async () => {
    breakAt('second');
    const operation = await run(await begin('install', {}, { keepFailed: true }));
    expect(operation).toMatchObject({ state: 'failed' });
    expect(operation.reason?.message).toContain('what was applied stays');
    expect(await deployedOf('second')).toEqual([1, 'deployed']);
  });

  it('is refused where the cluster lacks something, before anything is sent', async () => {
    const operation = await run(await begin('install', {}, {}, 'other'));
    expect(operation.reason).toEqual({ code: 'cluster', message: 'It needs one; install that first.' });
    expect(helm.calls).toEqual([]);
  });

  it('is refused where the catalogue does not know its settings any more', async () => {
    const operation = await run(await begin('install', { colour: 'red' }));
    expect(operation.reason).toMatchObject({ code: 'cluster' });
    expect(operation.reason?.message).toMatch(/^The settings of one are not right\.[^]*colour/);
  });

  it('waits for a cluster that is away, and gives up after five minutes', async () => {
    objects.cluster = unknown('nobody answers');
    const id = await begin('install');
    expect(await runner().run(id)).toEqual({ afterMs: 10_000 });
    expect(await stored(id)).toMatchObject({ state: 'running', reason: { code: 'TriedAgain' } });
    clock.advance(5 * 60_000);
    expect(await run(id)).toMatchObject({ state: 'failed', reason: { message: 'nobody answers' } });
  });

  it('says so where the worker has no cluster', async () => {
    const id = await begin('install');
    await runner({ cluster: null }).run(id);
    expect((await stored(id)).reason?.message).toContain('BRAMBLE_KUBECONFIG');
  });

  it('gives up what does not become ready in time', async () => {
    objects.onHealth = (release) => present(unreadyHealth([], deployment(release)));
    const operation = await run(await begin('install'));
    expect(operation.reason?.message).toMatch(/^It was not ready within 60 s: 0 of 1 are ready; Deployment/);
  });
});

describe('an upgrade', () => {
  beforeEach(async () => {
    await done('install');
    helm.calls.length = 0;
    objects.asked.length = 0;
  });

  it('changes nothing where nothing differs', async () => {
    const operation = await done('upgrade');
    expect(stepsOf(operation)).toMatchObject({ 'apply first': 'unchanged', 'apply second': 'unchanged' });
    expect(applied()).toEqual([]);
  });

  it('goes back to what was there where something fails', async () => {
    breakAt('second');
    const operation = await run(await begin('upgrade', { size: 5 }));
    expect(operation.reason?.message).toContain(
      '"second" was rolled back to revision 1; "first" was rolled back to revision 1',
    );
    expect(await deployedOf('first')).toEqual([3, 'deployed']);
    expect(existing(await services.find('one')).current?.revision).toBe(1);
  });

  it('goes back as well where Helm itself fails', async () => {
    helm.script = (call) =>
      call.verb === 'apply' && call.release.name === 'second'
        ? { fails: { message: 'a hook failed' } }
        : undefined;
    const operation = await run(await begin('upgrade', { size: 5 }));
    expect(operation.reason).toMatchObject({ code: 'apply second' });
    expect(operation.reason?.message).toMatch(/^a hook failed\nAfter this, "second" was rolled back/);
    expect(await deployedOf('second')).toMatchObject([expect.any(Number), 'deployed']);
  });

  it('is applied again where it has failed before and was left so, although nothing differs', async () => {
    helm.script = (call) =>
      call.verb === 'apply' && call.release.name === 'second'
        ? { fails: { message: 'a hook failed' } }
        : undefined;
    await run(await begin('upgrade', { size: 5 }, { keepFailed: true }));
    helm.script = () => undefined;
    const operation = await done('upgrade', { size: 5 });
    expect(stepsOf(operation)).toMatchObject({ 'apply first': 'unchanged', 'apply second': 'applied' });
  });

  it('is refused by those who own fields, who are named', async () => {
    const message = 'kubectl-edit owns spec.replicas';
    objects.onDiff = (release) => present([change(release, { change: 'conflict', message })]);
    const operation = await run(await begin('upgrade', { size: 5 }));
    expect(operation.reason?.message).toContain(`Deployment one-space/first: ${message}`);
    expect(applied()).toEqual([]);
  });

  it('is not done twice by the worker that takes over', async () => {
    const id = await begin('upgrade', { size: 5 });
    let looks = 0;
    objects.onHealth = (release) => {
      looks += 1;
      if (looks === 1) throw new Error('killed');
      return present(readyHealth(deployment(release)));
    };
    await expect(runner().run(id)).rejects.toThrow('killed');
    expect(await run(id)).toMatchObject({ state: 'done' });
    expect(applied()).toEqual(['first', 'second']);
    expect(existing(await services.find('one')).current?.revision).toBe(2);
  });

  it('is undone to its end by the worker that takes over', async () => {
    breakAt('second');
    const id = await begin('upgrade', { size: 5 });
    let rolledBack = 0;
    helm.script = ({ verb }) => {
      if (verb === 'rollBack' && (rolledBack += 1) === 1) throw new Error('killed');
      return undefined;
    };
    await expect(runner().run(id)).rejects.toThrow('killed');
    breakAt('nothing');
    const operation = await run(id);
    expect(operation).toMatchObject({ state: 'failed' });
    expect(operation.reason?.message).toContain('ImagePullBackOff');
    expect(existing(await services.find('one')).current?.revision).toBe(1);
    expect(await deployedOf('first')).toEqual([3, 'deployed']);
  });

  it('ends where it is cancelled, and what was applied stays', async () => {
    objects.onHealth = (release) => present(unreadyHealth([], deployment(release)));
    const id = await begin('upgrade', { size: 5 });
    onPause = async () => {
      const operation = await stored(id);
      const isWaiting = objects.asked.some(({ question }) => question === 'health');
      if (isWaiting && operation.cancelRequestedAt === null)
        await operations.changeOperation(operation, { cancelRequestedAt: clock.now() });
    };
    expect(await run(id)).toMatchObject({ state: 'cancelled' });
    expect(applied()).toEqual(['first']);
  });

  it('mends first what a killed worker has left', async () => {
    helm.script = () => ({ hangs: true });
    const first = { name: 'first', namespace: 'one-space' };
    const chart = { kind: 'oci', url: 'oci://registry.test/first', version: '1.0.0', digest: null } as const;
    const hanging = helm.apply(first, { chart, values: {}, timeoutMs: 1 });
    // It never returns, as where this process was killed.
    void hanging;
    helm.script = () => undefined;
    const operation = await done('upgrade', { size: 5 });
    expect(stepsOf(operation)).toMatchObject({ recover: 'applied', 'apply first': 'applied' });
  });
});

describe('a rollback', () => {
  it('goes to what the releases were in that revision', async () => {
    await done('install', { size: 1 });
    await done('upgrade', { size: 2 });
    const operation = await done('rollback', null, { revision: 1 });
    expect(stepsOf(operation)).toMatchObject({ 'apply first': 'applied', 'ready second': 'unchanged' });
    const { current } = existing(await services.find('one'));
    expect(current).toMatchObject({
      revision: 3,
      kind: 'rollback',
      parts: [{ helmRevision: 3 }, { helmRevision: 3 }],
    });
    expect(await helm.manifest({ name: 'first', namespace: 'one-space' }, 3)).toEqual(
      await helm.manifest({ name: 'first', namespace: 'one-space' }, 1),
    );
  });
});

describe('a plan', () => {
  it('tells what would change, and changes nothing', async () => {
    const operation = await done('plan', { size: 3 });
    expect(stepsOf(operation)).toMatchObject({ 'plan first': 'differs', 'plan second': 'differs' });
    expect(applied()).toEqual([]);
    expect((await operations.outputAfter(operation.id, 0, 10)).map(({ text }) => text)).toContain(
      '~ Deployment one-space/first\n',
    );
    expect(await services.find('one')).toBeUndefined();
  });

  it('does without kinds that are still to come', async () => {
    helm.script = (call) =>
      call.verb === 'render' && call.release.name === 'second'
        ? { fails: { message: 'no matches for kind "Pool"' } }
        : undefined;
    const operation = await done('plan');
    expect(operation.steps.find(({ name }) => name === 'plan second')?.detail).toBe(
      'known once its kinds are there',
    );
  });
});

describe('what is shown', () => {
  it('has no secret in it, neither of what is to be nor of what was', async () => {
    await done('install', { password: 'old hush' });
    const fields = [{ path: 'env', before: '"old hush"', after: '"new hush"' }];
    objects.onDiff = (release) => present([change(release, { fields })]);
    const { id } = await done('plan', { password: 'new hush' });
    objects.onDrift = (release) =>
      present([change(release, { fields: [{ path: 'env', before: 'old hush', after: null }] })]);
    const check = await done('check', null);
    const texts = await Promise.all([id, check.id].map((one) => operations.outputAfter(one, 0, 100)));
    expect(JSON.stringify(texts)).toContain('env');
    expect(JSON.stringify(texts)).not.toContain('hush');
  });
});

describe('a check', () => {
  it('tells what somebody has changed', async () => {
    await done('install');
    objects.onDrift = (release) => present(release.name === 'second' ? [change(release)] : []);
    const operation = await done('check', null);
    expect(stepsOf(operation)).toEqual({ 'check first': 'unchanged', 'check second': 'differs' });
  });
});

describe('an uninstallation', () => {
  beforeEach(async () => {
    await done('install');
  });

  it('takes the last release first, and tells what it leaves behind', async () => {
    objects.onLeftovers = (release) =>
      present([
        { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: release.namespace, name: 'data' },
      ]);
    const operation = await done('uninstall', null);
    expect(operation.steps.map(({ name }) => name)).toEqual([
      ...['dependents', 'recover', 'remove second', 'remove first', 'leftovers'],
    ]);
    expect(operation.steps.at(-1)?.detail).toContain('PersistentVolumeClaim one-space/data');
    expect(await services.find('one')).toBeUndefined();
  });

  it('waits until all of it is gone', async () => {
    let looks = 0;
    objects.onRemaining = (release) => present((looks += 1) < 3 ? [deployment(release)] : []);
    const operation = await done('uninstall', null);
    expect(stepsOf(operation)).toMatchObject({ 'remove first': 'applied' });
    expect(looks).toBeGreaterThan(3);
  });

  it('tells what does not go', async () => {
    objects.onRemaining = (release) => present([deployment(release)]);
    const operation = await run(await begin('uninstall', null));
    expect(operation.reason?.message).toMatch(/still there: Deployment one-space\/second\. .*finalizers/);
    expect(await services.find('one')).toBeDefined();
  });

  it('is refused while something else depends on it, unless it is forced', async () => {
    await done('install', {}, {}, 'other');
    const refused = await run(await begin('uninstall', null));
    expect(refused.reason?.message).toBe('other depend on it; uninstall that first, or use force.');
    await done('uninstall', null, { force: true });
  });

  it('removes what an installation that failed has left', async () => {
    await done('uninstall', null);
    breakAt('second');
    await run(await begin('install', {}, { keepFailed: true }));
    await done('uninstall', null);
    expect([await deployedOf('first'), await deployedOf('second')]).toEqual(['absent', 'absent']);
  });
});
