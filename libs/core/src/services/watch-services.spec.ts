import { beforeEach, expect, it } from 'vitest';
import { CountingIds } from '../../../../test/fakes/counting-ids.ts';
import { existing } from '../../../../test/fakes/existing.ts';
import { FakeHelmReleases } from '../../../../test/fakes/fake-helm-releases.ts';
import { FakeServiceObjects, unreadyHealth } from '../../../../test/fakes/fake-service-objects.ts';
import { ManualClock } from '../../../../test/fakes/manual-clock.ts';
import { MemoryOperationStore } from '../../../../test/fakes/memory-operation-store.ts';
import { MemoryServiceStore } from '../../../../test/fakes/memory-service-store.ts';
import { plainSecretBox } from '../../../../test/fakes/plain-secret-box.ts';
import type { OperationState, ServiceOperation } from '../operations/operation.ts';
import { present, unknown } from '../vocabulary/answer.ts';
import { Catalog } from './catalog/catalog.ts';
import { ManageServices } from './manage-services.ts';
import { sealWanted } from './service.ts';
import { WatchServices } from './watch-services.ts';

const HOUR_MS = 60 * 60_000;
const RELEASE = { name: 'netboot', namespace: 'netboot' };

let helm: FakeHelmReleases;
let objects: FakeServiceObjects;
let operations: MemoryOperationStore;
let services: MemoryServiceStore;
let clock: ManualClock;
let watch: WatchServices;

beforeEach(async () => {
  helm = new FakeHelmReleases();
  objects = new FakeServiceObjects();
  operations = new MemoryOperationStore();
  services = new MemoryServiceStore();
  clock = new ManualClock();
  watch = new WatchServices({
    ...{ services, operations, objects, helm, clock, checkEveryMs: 24 * HOUR_MS },
    manage: new ManageServices({
      ...{ services, operations, clock, catalog: new Catalog(), secrets: plainSecretBox },
      ids: new CountingIds(),
      queue: { add: async () => {} },
      site: async () => ({
        ...{ domain: 'home.lab', subnet: '10.0.0.0/24', storage: null, storageClass: null },
        ...{ boards: [], slurm: null },
      }),
    }),
  });
  await services.addRevision('netboot', {
    ...{ operationId: 'op_1', kind: 'install', reason: null, at: clock.now() },
    sealedWanted: sealWanted('netboot', { settings: {}, values: {} }, plainSecretBox),
    parts: [{ release: 'netboot', namespace: 'netboot', helmRevision: 1, chart: 'netboot-1', objects: [] }],
  });
  await operate('done', 'install');
});

async function operate(state: OperationState, kind: ServiceOperation['kind'] = 'upgrade'): Promise<void> {
  const id = `op_${state}_${kind}`;
  const step = { name: 'apply netboot', title: '', state: 'applying' as const, detail: null };
  await operations.begin<ServiceOperation>({
    ...{ id, about: 'service', subject: 'netboot', boardId: null, kind, createdAt: clock.now() },
    steps: [{ ...step, startedAt: null, endedAt: null }],
    parameters: { reason: null, force: false, keepFailed: false, revision: null, sealedWanted: null },
  });
  if (state === 'running') return;
  const endedAt = clock.now();
  await operations.changeOperation(existing(await operations.findOperation(id)), { state, endedAt });
}
const observation = async () => (await services.find('netboot'))?.observation;
const latest = async () => existing((await operations.operationsOf('service', 'netboot', 1))[0]);
/** A Helm that never returns, as where its worker was killed. */
function leaveHalfWay(): void {
  helm.script = () => ({ hangs: true });
  void helm.apply(RELEASE, { chart: { kind: 'own', name: 'netboot' }, values: {}, timeoutMs: 1 });
  helm.script = () => undefined;
}

it('keeps how a service is', async () => {
  await watch.run();
  expect(await observation()).toMatchObject({ state: 'ready', observedAt: clock.now(), problems: [] });
  objects.onHealth = () => present(unreadyHealth([{ code: 'ImagePullBackOff' }]));
  await watch.run();
  expect(await observation()).toMatchObject({ state: 'degraded', problems: [{ code: 'ImagePullBackOff' }] });
  objects.onHealth = () => unknown('nobody answers');
  await watch.run();
  expect(await observation()).toMatchObject({ state: 'unknown', message: 'nobody answers' });
});

it('says of what never came to its end that it did not', async () => {
  await services.ensure('slurm', clock.now());
  await watch.run();
  expect(existing(await services.find('slurm')).observation).toMatchObject({ state: 'degraded' });
});

it('begins a check when the last look was long ago, and one at a time', async () => {
  await watch.run();
  expect(await latest()).toMatchObject({ kind: 'install' });
  clock.advance(24 * HOUR_MS);
  await watch.run();
  expect(await latest()).toMatchObject({ kind: 'check', state: 'waiting' });
  await watch.run();
  expect(await operations.operationsOf('service', 'netboot', 9)).toHaveLength(2);
});

it('has mended what was left half-way', async () => {
  leaveHalfWay();
  clock.advance(1);
  await operate('cancelled');
  clock.advance(1);
  await watch.run();
  expect(await latest()).toMatchObject({ kind: 'recover', state: 'waiting' });
});

it('leaves alone what somebody is at work on', async () => {
  leaveHalfWay();
  clock.advance(1);
  await operate('running');
  await watch.run();
  expect(await latest()).toMatchObject({ kind: 'upgrade' });
});
