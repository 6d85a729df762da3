import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClusterView } from '#infra/kubernetes/access/api-cluster-view';
import { ApiKubernetesNodes } from '#infra/kubernetes/api-kubernetes-nodes';
import { askApiServer } from '#infra/kubernetes/services/api-session';
import { ApiServiceObjects } from '#infra/kubernetes/services/api-service-objects';
import type { CommandResult } from '#infra/slurm/command-transport';
import { ExecTransport } from '#infra/slurm/exec-transport';
import { lab as labValues } from '../../charts/bramble-values.ts';
import { type KubeLab, kubeDown, kubeUp } from '../../lab/kube/kube-lab.ts';
import { TEST_LAB_DIRECTORY } from '../../lab/test-lab.ts';
import { waitUntil } from '../../lab/waiting.ts';
import { ChartRights } from './chart-rights.ts';
import { valueOf } from './release-lab.ts';
import { ServiceEngine, type ServiceEngineOptions } from './service-engine.ts';
import { writeGrantingChart, writeWholeChart } from './whole-chart.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-rights`;
/** The first time on a machine the programs are built. */
const BUILD_TIMEOUT_MS = 45 * 60_000;
const NAMESPACE = 'apps';
const NODE = 'kv-worker-0';
const TIMEOUT = { timeoutMs: 20_000 };

/** Rights that no audit event shows in use, and why they are needed. */
const UNSEEN = [
  // Asked for behind the right to `get`, which has no event of its own: a test below is without it.
  'bramble-bramble-worker-slurm: create pods/exec in slurm',
  // Used in the one namespace that was asked for; it may be any.
  'bramble-bramble-api-views: list roles.rbac.authorization.k8s.io',
  'bramble-bramble-api-views: list rolebindings.rbac.authorization.k8s.io',
];

let lab: KubeLab;
let scratch: string;
let kubelet: { close(): Promise<void> };

beforeAll(async () => {
  lab = await kubeUp({ dir: DIRECTORY, audit: true });
  scratch = mkdtempSync(join(tmpdir(), 'bramble-rights-'));
  writeWholeChart(join(scratch, 'charts/whole'));
  writeGrantingChart(join(scratch, 'charts/granting'));
  kubelet = await lab.runCommandsOf(NODE);
  await Promise.all(['bramble', NAMESPACE, 'other', 'slurm'].map(makeNamespace));
  await lab.api.create('/apis/storage.k8s.io/v1/storageclasses', {
    metadata: { name: 'late' },
    ...{ provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'WaitForFirstConsumer' },
  });
  await lab.api.create('/api/v1/persistentvolumes', {
    metadata: { name: 'data' },
    spec: { capacity: { storage: '1Mi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' } },
  });
}, BUILD_TIMEOUT_MS);
afterAll(async () => {
  await kubelet.close();
  await kubeDown(DIRECTORY);
  rmSync(scratch, { recursive: true, force: true });
});

async function makeNamespace(name: string): Promise<void> {
  await lab.api.create('/api/v1/namespaces', { metadata: { name } });
  const account = `/api/v1/namespaces/${name}/serviceaccounts/default`;
  await waitUntil(
    `pods to be taken in ${name}`,
    async () => (await lab.api.ask('GET', account)).status === 200,
    {
      intervalMs: 50,
    },
  );
}

const optionsOf = ({ kubeconfig: file }: { kubeconfig: string }) => ({
  access: { kind: 'kubeconfig' as const, file },
  timeoutMs: 20_000,
});
const transportOf = (user: { kubeconfig: string }) =>
  new ExecTransport({
    ...optionsOf(user),
    ...{ namespace: 'slurm', selector: 'app=slurm', container: 'login' },
  });
const saidBy = (result: CommandResult) => ('because' in result ? result.because : result.stdout);

async function bind(user: string, namespace: string, rules: object[]): Promise<void> {
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  await lab.api.create(`${rbac}/roles`, { metadata: { name: user }, rules });
  await lab.api.create(`${rbac}/rolebindings`, {
    metadata: { name: user },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: user },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  });
}

const engineOf = (
  rights: ChartRights,
  service: Pick<ServiceEngineOptions, 'chart' | 'namespace' | 'namespaceLabels'>,
) =>
  new ServiceEngine({
    ...{ program: lab.binaries.helm, access: optionsOf(rights).access, ownCharts: join(scratch, 'charts') },
    ...{ cacheDirectory: join(scratch, 'cache'), ...service },
  });

describe('the rights that the chart gives', () => {
  const WHOLE = { name: 'whole', namespace: NAMESPACE };
  const STORE = `/api/v1/namespaces/${NAMESPACE}/pods/whole-store-0`;
  let rights: { api: ChartRights; worker: ChartRights };
  let engine: ServiceEngine;

  beforeAll(async () => {
    rights = await ChartRights.of(lab, {
      ...{ release: 'bramble', namespace: 'bramble' },
      values: {
        ...labValues,
        slurm: { transport: 'exec' },
        kubernetes: {
          ...{ nodes: true, views: true, slurmNamespace: 'slurm', registry: 'http://10.0.0.10:5000' },
          services: { scope: 'namespaces', namespaces: [NAMESPACE] },
        },
      },
    });
    engine = engineOf(rights.worker, { chart: 'whole', namespace: NAMESPACE });
  });

  it('are enough for the inventory of nodes', async () => {
    expect(await new ApiKubernetesNodes(optionsOf(rights.worker)).list()).toHaveLength(4);
  });

  it("are enough to run Slurm's commands in a pod", async () => {
    await lab.api.create('/api/v1/namespaces/slurm/pods', {
      metadata: { name: 'slurm-0', labels: { app: 'slurm' } },
      spec: {
        containers: [{ name: 'login', image: 'slurm' }],
        nodeSelector: { 'kubernetes.io/hostname': NODE },
      },
    });
    const said = async () => saidBy(await transportOf(rights.worker).run(['echo', 'hello'], TIMEOUT));
    await expect.poll(said).toBe('hello\n');
  });

  it('are enough to plan, to install and to observe a service', async () => {
    expect(await engine.done('plan', {})).toMatchObject({ 'plan whole': expect.stringMatching(/^differs/) });
    await engine.done('install', {});
    expect(await engine.observe()).toMatchObject({ state: 'ready', problems: [] });
  });

  it('are enough to upgrade it, to mend it, and to find out what somebody has changed', async () => {
    await engine.done('upgrade', { tag: '2' });
    await engine.done('recover');
    await lab.api.ask('DELETE', `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies/whole`);
    expect(await engine.done('check')).toMatchObject({
      'check whole': `differs: NetworkPolicy ${NAMESPACE}/whole`,
    });
  });

  /** @returns the answer to it; 0 where the pod is not yet that of the failing upgrade */
  const crash = async (): Promise<number> => {
    const { body } = await lab.api.ask('GET', STORE);
    if ((body as { spec?: { schedulerName?: string } }).spec?.schedulerName !== 'nobody') return 0;
    return (await lab.api.ask('PATCH', `${STORE}/status`, { status: CRASHING })).status;
  };

  it('are enough to go back where an upgrade fails', async () => {
    const failing = engine.run('upgrade', { tag: '4', broken: true });
    await expect.poll(crash).toBe(200);
    expect(await failing).toMatchObject({
      state: 'failed',
      reason: { message: expect.stringMatching(/CrashLoopBackOff[^]*rolled back to revision 2/) },
    });
    await expect.poll(async () => (await engine.observe())?.state).toBe('ready');
  });

  it("are enough for the api's views, and for events and logs of services", async () => {
    const view = new ApiClusterView(optionsOf(rights.api), 'bramble');
    expect(valueOf(await view.namespaces()).length).toBeGreaterThan(4);
    expect(valueOf(await view.rbac(NAMESPACE)).bindings.length).toBeGreaterThan(2);
    expect(valueOf(await view.resources()).length).toBeGreaterThan(50);
    expect(valueOf(await view.images()).length).toBeGreaterThan(4);
    const live = new ApiServiceObjects(optionsOf(rights.api));
    expect(valueOf(await live.events(WHOLE, await engine.manifest())).length).toBeGreaterThan(5);
    const [first] = valueOf(await live.tail(WHOLE, await engine.manifest(), { lines: 10, previous: false }));
    expect(first).toMatchObject({ container: 'main' });
  });

  it('are enough to roll it back, to mirror images, and to uninstall it', async () => {
    await engine.done('rollback', null, 1);
    expect(await engine.done('mirror')).toMatchObject({
      images: expect.stringMatching(/^unchanged: \d+ to copy/),
    });
    expect(await engine.done('uninstall')).toMatchObject({
      leftovers: `unchanged: PersistentVolumeClaim ${NAMESPACE}/data-whole-store-0`,
    });
  });

  it('have refused nothing that was needed', () => {
    expect(rights.worker.refused()).toEqual([]);
    expect(rights.api.refused()).toEqual([]);
  });

  it('are all needed', () => {
    expect([...rights.worker.unused(), ...rights.api.unused()]).toEqual(UNSEEN);
  });

  it('to run commands in pods are both needed, although one is never seen', async () => {
    const kubeconfig = await lab.kubeconfigOf('looker');
    await bind('looker', 'slurm', [
      { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
      { apiGroups: [''], resources: ['pods/exec'], verbs: ['get'] },
    ]);
    const refused = async () => saidBy(await transportOf({ kubeconfig }).run(['true'], TIMEOUT));
    await expect.poll(refused).toMatch(/run commands in the pod slurm-0 .* \(403\)/);
  });

  it('to apply what is not there are both needed, although one is never seen', async () => {
    const access = { kind: 'kubeconfig' as const, file: await lab.kubeconfigOf('patcher') };
    await bind('patcher', 'other', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['patch'] }]);
    const path = '/api/v1/namespaces/other/configmaps/applied';
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' } };
    const refused = async () => {
      const answer = await askApiServer({ access, timeoutMs: 20_000 }, (api) =>
        api.call(path, {
          ...{ method: 'PATCH', contentType: 'application/apply-patch+yaml', body },
          query: { fieldManager: 'helm' },
        }),
      );
      return valueOf(answer).text;
    };
    await expect.poll(refused).toContain('cannot create resource \\"configmaps\\"');
  });

  it.each([
    ['in a namespace that the chart was not told of', { chart: 'whole', namespace: 'other' }],
    ['in a namespace that is not there', { chart: 'whole', namespace: 'nowhere' }],
  ])('are not for services %s, and the refusal names the value', async (_, service) => {
    const refusal = await engineOf(rights.worker, service).refusal('install', {});
    expect(refusal).toContain(
      `Bramble's chart gives the right with ${service.namespace} among kubernetes.services.namespaces.`,
    );
    expect(refusal).toContain('cannot list resource "secrets"');
  });

  it('are not for charts that grant rights, and the refusal names the value', async () => {
    const granting = engineOf(rights.worker, { chart: 'granting', namespace: NAMESPACE });
    expect(await granting.refusal('install', {})).toMatch(
      /bramble-worker" cannot get resource "(clusterroles|customresourcedefinitions)"[^]* to the worker with kubernetes\.services\.scope=cluster\./,
    );
  });

  it('are not to change the labels of a namespace, and the refusal names the remedy', async () => {
    const namespaceLabels = { 'pod-security.kubernetes.io/enforce': 'privileged' };
    const service = { chart: 'whole', namespace: NAMESPACE, namespaceLabels };
    expect(await engineOf(rights.worker, service).refusal('install', {})).toMatch(
      /kubectl label --overwrite namespace apps pod-security\.kubernetes\.io\/enforce=privileged$/,
    );
  });
});

describe('the rights that the chart gives for the whole cluster', () => {
  it('are enough for charts that grant rights, in a namespace that they bring', async () => {
    const rights = await ChartRights.of(lab, {
      ...{ release: 'everything', namespace: 'bramble' },
      values: { ...labValues, kubernetes: { nodes: false, services: { scope: 'cluster' } } },
    });
    const granting = engineOf(rights.worker, {
      ...{ chart: 'granting', namespace: 'made' },
      namespaceLabels: { 'pod-security.kubernetes.io/enforce': 'baseline' },
    });
    await granting.done('plan', {});
    await granting.done('install', {});
    expect(await granting.observe()).toMatchObject({ state: 'ready' });
    expect(await lab.api.get('/api/v1/namespaces/made')).toMatchObject({
      metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } },
    });
    const live = new ApiServiceObjects(optionsOf(rights.api));
    const asked = [{ name: 'granting', namespace: 'made' }, await granting.manifest()] as const;
    valueOf(await live.events(...asked));
    valueOf(await live.tail(...asked, { lines: 10, previous: false }));
    await granting.done('uninstall');
    expect([...rights.worker.refused(), ...rights.api.refused()]).toEqual([]);
  });
});

const CRASHING = {
  phase: 'Running',
  containerStatuses: [
    {
      ...{ name: 'main', image: 'whole', imageID: '', ready: false, restartCount: 9 },
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 1, reason: 'Error' } },
    },
  ],
};
