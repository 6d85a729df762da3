import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dump } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeLab } from '../lab/kube/kube-lab.ts';
import { kubeDown, kubeUp } from '../lab/kube/kube-lab.ts';
import { TEST_LAB_DIRECTORY } from '../lab/test-lab.ts';
import { waitUntil } from '../lab/waiting.ts';
import { full, lab, oneAccount } from './bramble-values.ts';
import { chartDirectory, renderChart } from './render.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-bramble-chart`;
const NAMESPACE = 'hpc';
const CHART = chartDirectory('bramble');
/** As `helm install` waits for a release. */
const WAIT = ['--wait=watcher', '--timeout=300s'];

let cluster: KubeLab;
let values: string;
const files = new Map<object, string>();

beforeAll(async () => {
  cluster = await kubeUp({ dir: DIRECTORY, log: console.log });
  values = mkdtempSync(join(tmpdir(), 'bramble-chart-'));
  await namespace(NAMESPACE, 'baseline');
  // Nobody provides volumes here, as a class of a real cluster would.
  await Promise.all(
    ['one', 'two', 'three', 'four'].map((name) =>
      cluster.api.create('/api/v1/persistentvolumes', {
        metadata: { name },
        spec: {
          capacity: { storage: '10Gi' },
          accessModes: ['ReadWriteOnce'],
          hostPath: { path: `/${name}` },
        },
      }),
    ),
  );
}, 7_200_000);
afterAll(async () => {
  rmSync(values, { recursive: true, force: true });
  await kubeDown(DIRECTORY);
});

const namespace = (name: string, podSecurity: string) =>
  cluster.api.create('/api/v1/namespaces', {
    metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': podSecurity } },
  });

async function fileOf(content: object): Promise<string> {
  const known = files.get(content);
  if (known !== undefined) return known;
  const file = join(values, `${files.size}.json`);
  await writeFile(file, JSON.stringify(content));
  files.set(content, file);
  return file;
}

/** @throws Error with what Helm says */
async function helm(...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await cluster.helm(...words);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}

const install = async (content: object, options: { namespace?: string; release?: string } = {}) =>
  helm(
    ...['upgrade', '--install', options.release ?? 'bramble', CHART],
    ...[`--namespace=${options.namespace ?? NAMESPACE}`, `--values=${await fileOf(content)}`, ...WAIT],
  );

interface Found {
  metadata: { name: string; uid: string; creationTimestamp: string };
  spec?: { template?: object; replicas?: number };
  status?: { readyReplicas?: number; conditions?: { type: string; status: string; message: string }[] };
  data?: Record<string, string>;
}

const list = async (path: string): Promise<Found[]> =>
  ((await cluster.api.get(path)) as { items: Found[] }).items;
const names = async (path: string) => (await list(path)).map(({ metadata }) => metadata.name).toSorted();
const secret = async (namespaceName = NAMESPACE) =>
  (await cluster.api.get(`/api/v1/namespaces/${namespaceName}/secrets/bramble-generated`)) as Found;

/** Whether the API server lets the service account do it. */
async function may(
  account: string,
  verb: string,
  attributes: { resource: string; group?: string; subresource?: string; namespace?: string },
): Promise<boolean> {
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: `system:serviceaccount:${NAMESPACE}:${account}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${NAMESPACE}`, 'system:authenticated'],
      resourceAttributes: { verb, ...attributes },
    },
  };
  const { body } = await cluster.api.ask(
    'POST',
    '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    review,
  );
  return (body as { status: { allowed: boolean } }).status.allowed;
}

describe('on a real control plane', () => {
  it('installs and becomes ready, under the baseline of pod security', async () => {
    const said = await install(lab);
    expect(said).toContain('STATUS: deployed');
    expect(said).toContain('exec deployment/bramble-api -c api -- cat /var/lib/bramble/admin.key');
    const deployments = await list(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments`);
    expect(deployments.map(({ metadata, status }) => [metadata.name, status?.readyReplicas])).toEqual([
      ['bramble-api', 2],
      ['bramble-worker', 2],
    ]);
    expect(await names(`/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets`)).toEqual([
      ...['bramble-postgresql', 'bramble-redis'],
    ]);
  });

  it('binds the NFS volume to its claim alone', async () => {
    const claim = (await cluster.api.get(
      `/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims/bramble-storage`,
    )) as { spec: object; status: object };
    expect(claim).toMatchObject({
      spec: { volumeName: 'hpc-bramble-storage' },
      status: { phase: 'Bound' },
    });
  });

  it('gives the worker the right to read nodes, and nothing else', async () => {
    expect(await may('bramble-worker', 'list', { resource: 'nodes' })).toBe(true);
    for (const verb of ['get', 'watch', 'update', 'patch', 'delete'])
      expect(await may('bramble-worker', verb, { resource: 'nodes' }), verb).toBe(false);
    expect(await may('bramble-worker', 'get', { resource: 'secrets', namespace: NAMESPACE })).toBe(false);
    expect(await may('bramble-api', 'get', { resource: 'nodes' })).toBe(false);
  });

  it('changes nothing, restarts nothing and keeps its secrets where it is upgraded to the same', async () => {
    const pods = `/api/v1/namespaces/${NAMESPACE}/pods`;
    const [before, secrets] = [await names(pods), await secret()];
    await install(lab);
    expect(await names(pods)).toEqual(before);
    expect((await secret()).data).toEqual(secrets.data);
  });

  it('is upgraded without ever having fewer pods ready, leaves the database alone, and is rolled back', async () => {
    const deployment = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/bramble-api`;
    const database = `/api/v1/namespaces/${NAMESPACE}/pods/bramble-postgresql-0`;
    const { metadata } = (await cluster.api.get(database)) as Found;
    let fewest = Number.POSITIVE_INFINITY;
    const over = new AbortController();
    const watched = (async () => {
      while (!over.signal.aborted) {
        const { status } = (await cluster.api.get(deployment)) as Found;
        fewest = Math.min(fewest, status?.readyReplicas ?? 0);
        await sleep(50);
      }
    })();
    const changed = { ...lab, logLevel: 'debug' };
    await install(changed);
    over.abort();
    await watched;
    expect(fewest).toBeGreaterThanOrEqual(2);
    expect(JSON.stringify(await cluster.api.get(deployment))).toContain('"debug"');
    expect(((await cluster.api.get(database)) as Found).metadata.uid).toBe(metadata.uid);

    await helm('rollback', 'bramble', `--namespace=${NAMESPACE}`, ...WAIT);
    expect(JSON.stringify(await cluster.api.get(deployment))).not.toContain('"debug"');
  });

  it('goes back by itself from an upgrade that cannot become ready', async () => {
    const impossible = { ...lab, scheduling: { nodeSelector: { disk: 'none' } } };
    const failed = await cluster.helm(
      ...['upgrade', 'bramble', CHART, `--namespace=${NAMESPACE}`, `--values=${await fileOf(impossible)}`],
      ...['--rollback-on-failure', '--wait=watcher', '--timeout=8s'],
    );
    expect(failed.exitCode).not.toBe(0);
    const history = JSON.parse(
      await helm('history', 'bramble', `--namespace=${NAMESPACE}`, '--output=json'),
    ) as {
      status: string;
      description: string;
    }[];
    expect(history.at(-1)).toMatchObject({
      status: 'deployed',
      description: expect.stringContaining('Rollback'),
    });
    const [api] = await list(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments`);
    expect(api?.status?.readyReplicas).toBe(2);
  });

  it('is uninstalled but for its secrets and its data, which the next installation finds again', async () => {
    const { data } = await secret();
    await helm('uninstall', 'bramble', `--namespace=${NAMESPACE}`, '--wait', '--timeout=300s');
    expect(await names(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments`)).toEqual([]);
    expect(await names(`/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims`)).toEqual([
      ...['data-bramble-postgresql-0', 'data-bramble-redis-0'],
    ]);
    const roles = await names('/apis/rbac.authorization.k8s.io/v1/clusterroles');
    expect(roles.filter((name) => name.includes('bramble'))).toEqual([]);
    await waitUntil(
      'the volume to be gone',
      async () => !(await names('/api/v1/persistentvolumes')).includes('hpc-bramble-storage'),
    );
    await install(lab);
    expect((await secret()).data).toEqual(data);
  });

  it('runs in a restricted namespace where all jobs run as one account', async () => {
    await namespace('one', 'restricted');
    await install({ ...oneAccount, postgresql: { enabled: true } }, { namespace: 'one' });
    const deployments = await list('/apis/apps/v1/namespaces/one/deployments');
    expect(deployments.map(({ status }) => status?.readyReplicas)).toEqual([2, 2]);
  });

  it('is refused by the API server in nothing, whatever is switched on', async () => {
    await Promise.all(
      ['everything', 'slurm', 'monitoring', 'logging'].map((name) => namespace(name, 'privileged')),
    );
    await cluster.api.create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'servicemonitors.monitoring.coreos.com' },
      spec: {
        group: 'monitoring.coreos.com',
        names: { kind: 'ServiceMonitor', plural: 'servicemonitors' },
        scope: 'Namespaced',
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        ],
      },
    });
    const paths: Record<string, string> = {
      Deployment: 'apis/apps/v1/namespaces/N/deployments',
      Service: 'api/v1/namespaces/N/services',
      ServiceAccount: 'api/v1/namespaces/N/serviceaccounts',
      Pod: 'api/v1/namespaces/N/pods',
      Role: 'apis/rbac.authorization.k8s.io/v1/namespaces/N/roles',
      RoleBinding: 'apis/rbac.authorization.k8s.io/v1/namespaces/N/rolebindings',
      ClusterRole: 'apis/rbac.authorization.k8s.io/v1/clusterroles',
      ClusterRoleBinding: 'apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
      NetworkPolicy: 'apis/networking.k8s.io/v1/namespaces/N/networkpolicies',
      Ingress: 'apis/networking.k8s.io/v1/namespaces/N/ingresses',
      PodDisruptionBudget: 'apis/policy/v1/namespaces/N/poddisruptionbudgets',
      HorizontalPodAutoscaler: 'apis/autoscaling/v2/namespaces/N/horizontalpodautoscalers',
      ServiceMonitor: 'apis/monitoring.coreos.com/v1/namespaces/N/servicemonitors',
      ConfigMap: 'api/v1/namespaces/N/configmaps',
    };
    await waitUntil(
      'the API server to know ServiceMonitors',
      async () =>
        (await cluster.api.ask('GET', '/apis/monitoring.coreos.com/v1/servicemonitors')).status === 200,
    );
    const objects = await renderChart('bramble', { values: full, namespace: 'everything' });
    const answers = await Promise.all(
      objects.map(async ({ metadata, ...object }) => {
        const { namespace: into = 'everything' } = metadata as { namespace?: string };
        const path = paths[object.kind];
        if (path === undefined) throw new Error(`Where are objects of the kind ${object.kind}?`);
        const { status, body } = await cluster.api.ask(
          'POST',
          `/${path.replace('/N/', `/${into}/`)}?dryRun=All&fieldValidation=Strict`,
          { ...object, metadata },
        );
        // A pod needs a service account that is there, and the dry run makes none.
        return { name: `${object.kind} ${metadata.name}`, status, said: status < 300 ? '' : dump(body) };
      }),
    );
    expect(answers.filter(({ status }) => status !== 201)).toEqual([]);
  });
});
