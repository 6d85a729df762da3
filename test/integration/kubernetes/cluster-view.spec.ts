import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessQuerySchema } from '#core/cluster/access-view/access-resource';
import { noCluster } from '#core/cluster/cluster-view';
import { ReadCluster } from '#core/cluster/read-cluster';
import { SKOPEO_IMAGE } from '#core/services/mirror/mirror-job';
import { chooseCopies, type MirrorPlan } from '#core/services/mirror/mirror-plan';
import { toClusterImages } from '#core/services/mirror/cluster-image';
import { ApiClusterView } from '#infra/kubernetes/access/api-cluster-view';
import { ApiImageMirror } from '#infra/kubernetes/mirror/api-image-mirror';
import { askApiServer } from '#infra/kubernetes/services/api-session';
import { type KubeLab, kubeDown, kubeUp } from '../../lab/kube/kube-lab.ts';
import { TEST_LAB_DIRECTORY } from '../../lab/test-lab.ts';
import { lab as labValues } from '../../charts/bramble-values.ts';
import { only, renderChart } from '../../charts/render.ts';
import { type RunningApi, type SignedIn, startApi } from '../api/running-api.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-kube-view`;
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const RBAC_GROUP = 'rbac.authorization.k8s.io';
const DIGEST = `sha256:${'a'.repeat(64)}`;
/** The first time on a machine the programs are built. */
const BUILD_TIMEOUT_MS = 45 * 60_000;

let lab: KubeLab;
beforeAll(async () => {
  lab = await kubeUp({ dir: DIRECTORY });
  await Promise.all(['hpc', 'mirror', 'doomed'].map((name) => makeNamespace(name)));
}, BUILD_TIMEOUT_MS);
afterAll(() => kubeDown(DIRECTORY));

const makeNamespace = (name: string) =>
  lab.api.create('/api/v1/namespaces', {
    metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted', lab: name } },
  });
const options = (file = lab.kubeconfig) => ({
  access: { kind: 'kubeconfig' as const, file },
  timeoutMs: 20_000,
});
const cluster = (file?: string, own: string | null = null) =>
  new ReadCluster(new ApiClusterView(options(file), own), null);
const access = async (query: Record<string, string>, namespace = 'hpc') =>
  cluster().access(namespace, accessQuerySchema.parse(query));
const who = async (query: Record<string, string>) =>
  (await access(query)).items.map(
    ({ subject: { kind, name }, binding }) => `${kind} ${name} by ${binding.name}`,
  );

const bind = (path: string, name: string, role: object, subjects: object[]) =>
  lab.api.create(`${RBAC}${path}`, {
    metadata: { name },
    roleRef: { apiGroup: RBAC_GROUP, ...role },
    subjects,
  });

async function mayIn(user: string, attributes: object): Promise<boolean> {
  const { body } = await lab.api.ask('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user, resourceAttributes: { namespace: 'hpc', ...attributes } },
  });
  return (body as { status: { allowed: boolean } }).status.allowed;
}

const pod = (name: string, containers: object[]) => ({
  metadata: { name },
  spec: {
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    containers: containers.map((container, index) => ({
      name: `c${index}`,
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      ...container,
    })),
  },
});

describe('namespaces of a real control plane', () => {
  it('are listed with their pods, their age, and whether they are protected', async () => {
    await lab.api.create('/api/v1/namespaces/hpc/pods', pod('two', [{ image: 'nginx' }]));
    const { items } = await cluster(lab.kubeconfig, 'mirror').namespaces();
    expect(items.map(({ name, protected: is }) => [name, is])).toEqual([
      ['default', true],
      ['doomed', false],
      ['hpc', false],
      ['kube-node-lease', true],
      ['kube-public', true],
      ['kube-system', true],
      ['mirror', true],
    ]);
    expect(items[2]).toMatchObject({
      ...{ phase: 'Active', pods: 1, createdAt: expect.stringMatching(/^20\d\d-.*Z$/) as string },
      labels: { lab: 'hpc', 'kubernetes.io/metadata.name': 'hpc' },
    });
  });

  it('tell that they are going', async () => {
    await lab.api.patch('/api/v1/namespaces/doomed', { metadata: { finalizers: ['lab/hold'] } });
    await lab.api.ask('DELETE', '/api/v1/namespaces/doomed');
    const doomed = async () =>
      (await cluster().namespaces()).items.find(({ name }) => name === 'doomed')?.phase;
    await expect.poll(doomed).toBe('Terminating');
  });

  it('are not known without a cluster, or to who may not list them', async () => {
    const none = new ReadCluster(noCluster, null);
    await expect(none.namespaces()).rejects.toMatchObject({
      code: 'kubernetes_unavailable',
      message: expect.stringContaining('BRAMBLE_KUBECONFIG') as string,
    });
    const mallory = await lab.kubeconfigOf('mallory');
    await expect(cluster(mallory).namespaces()).rejects.toMatchObject({
      code: 'kubernetes_unavailable',
      message: expect.stringMatching(/mallory may not list \w+ in the whole cluster/) as string,
    });
  });
});

describe('who may do what in a namespace of a real control plane', () => {
  beforeAll(async () => {
    await lab.api.create(`${RBAC}/namespaces/hpc/roles`, {
      metadata: { name: 'slurm-exec' },
      rules: [
        { apiGroups: [''], resources: ['pods/exec'], resourceNames: ['slurm-0'], verbs: ['create', 'get'] },
        { apiGroups: [''], resources: ['pods'], resourceNames: ['slurm-0'], verbs: ['delete', 'create'] },
      ],
    });
    await bind('/namespaces/hpc/rolebindings', 'editors', { kind: 'ClusterRole', name: 'edit' }, [
      { kind: 'User', name: 'ada', apiGroup: RBAC_GROUP },
      { kind: 'Group', name: 'devs', apiGroup: RBAC_GROUP },
    ]);
    await bind('/namespaces/hpc/rolebindings', 'exec', { kind: 'Role', name: 'slurm-exec' }, [
      { kind: 'ServiceAccount', name: 'worker', namespace: 'bramble' },
    ]);
    await bind('/namespaces/hpc/rolebindings', 'dangling', { kind: 'Role', name: 'vanished' }, [
      { kind: 'User', name: 'ada', apiGroup: RBAC_GROUP },
    ]);
    await bind('/clusterrolebindings', 'everybody-reads', { kind: 'ClusterRole', name: 'view' }, [
      { kind: 'Group', name: 'system:authenticated', apiGroup: RBAC_GROUP },
    ]);
  });

  it('is told by binding, and what is missing with it', async () => {
    expect(await who({})).toEqual([
      'User ada by dangling',
      'User ada by editors',
      'Group devs by editors',
      'ServiceAccount worker by exec',
      'Group system:authenticated by everybody-reads',
    ]);
    const { items, systemLeftOut } = await access({});
    expect(systemLeftOut).toBeGreaterThan(20);
    expect(items[0]).toMatchObject({ role: { name: 'vanished', missing: true }, rules: [] });
  });

  it('says which cluster role an aggregated one has a rule from', async () => {
    const { items } = await access({ subject: 'user:ada', verb: 'delete', resource: 'po' });
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ role: { name: 'edit', aggregated: true } });
    expect(items[0]?.rules.every(({ from }) => from === 'system:aggregate-to-edit')).toBe(true);
  });

  it('agrees with the authorizer', async () => {
    const worker = 'system:serviceaccount:bramble:worker';
    const delete0 = { verb: 'delete', resource: 'pods', name: 'slurm-0' };
    expect(await who({ verb: 'delete', resource: 'pods' })).toEqual([
      'User ada by editors',
      'Group devs by editors',
      'ServiceAccount worker by exec',
    ]);
    expect([await mayIn('ada', delete0), await mayIn(worker, delete0)]).toEqual([true, true]);
    expect(await who({ subject: worker, verb: 'create', resource: 'pods' })).toEqual([]);
    expect(await mayIn(worker, { verb: 'create', resource: 'pods' })).toBe(false);
    expect(await who({ subject: worker, verb: 'create', resource: 'pods/exec' })).toEqual([
      'ServiceAccount worker by exec',
    ]);
    const exec = { verb: 'create', resource: 'pods', subresource: 'exec', name: 'slurm-0' };
    expect(await mayIn(worker, exec)).toBe(true);
    expect(await who({ subject: 'user:ada', verb: 'update', resource: 'deploy/scale' })).toHaveLength(1);
    expect(
      await mayIn('ada', { verb: 'update', group: 'apps', resource: 'deployments', subresource: 'scale' }),
    ).toBe(true);
  });

  it('agrees with the authorizer on what is in no namespace', async () => {
    const adas = {
      access: { kind: 'kubeconfig' as const, file: await lab.kubeconfigOf('ada') },
      timeoutMs: 20_000,
    };
    const status = async (path: string) => {
      const answer = await askApiServer(adas, (api) => api.call(path));
      return answer.kind === 'present' ? answer.value.status : answer.kind;
    };
    const asked = { subject: 'ada', verb: 'get' };
    expect(await who({ ...asked, resource: 'namespaces' })).toEqual(['User ada by editors']);
    expect(await status('/api/v1/namespaces/hpc')).toBe(200);
    expect(await who({ ...asked, verb: 'list', resource: 'namespaces' })).toEqual([]);
    expect(await who({ ...asked, resource: 'nodes' })).toEqual([]);
    expect(await status('/api/v1/nodes/kv-master-0')).toBe(403);
  });

  it("has Kubernetes' own parts where they are asked for", async () => {
    const { items, systemLeftOut } = await access({ system: 'true', subject: 'group:system:masters' });
    expect(systemLeftOut).toBe(0);
    expect(items.map(({ binding: { name } }) => name)).toContain('cluster-admin');
  });

  it('is not answered of a namespace or a resource that is not there', async () => {
    await expect(access({}, 'nowhere')).rejects.toMatchObject({ code: 'not_found' });
    await expect(access({ resource: 'widgets' })).rejects.toMatchObject({
      code: 'invalid_request',
      faults: [{ field: 'query.resource' }],
    });
    expect(await who({ resource: 'widgets.example.com' })).toEqual([]);
  });
});

describe('the api on a real control plane', () => {
  let api: RunningApi;
  let viewer: SignedIn;
  let admin: SignedIn;
  beforeAll(async () => {
    const objects = await renderChart('bramble', { values: { ...labValues, kubernetes: { views: true } } });
    const { rules } = only(objects, 'ClusterRole', 'bramble-bramble-api-views');
    await lab.api.create(`${RBAC}/clusterroles`, { metadata: { name: 'api-views' }, rules });
    await bind('/clusterrolebindings', 'api-views', { kind: 'ClusterRole', name: 'api-views' }, [
      { kind: 'User', name: 'bramble-api', apiGroup: RBAC_GROUP },
    ]);
    api = await startApi({ BRAMBLE_KUBECONFIG: await lab.kubeconfigOf('bramble-api') });
    viewer = await api.signIn('viewer');
    admin = await api.signIn('admin');
  });
  afterAll(() => api.close());

  it('needs no more rights than the chart gives it', async () => {
    const namespaces = await viewer.http.get('/v1/cluster/namespaces').expect(200);
    expect(namespaces.body.items).toContainEqual(
      expect.objectContaining({ name: 'kube-system', protected: true }),
    );
    await viewer.http.get('/v1/cluster/images').expect(200);
    const access = await admin.http
      .get('/v1/cluster/namespaces/hpc/access?verb=delete&resource=pods&subject=devs')
      .expect(200);
    expect(access.body).toMatchObject({
      namespace: 'hpc',
      items: [{ subject: { kind: 'Group', name: 'devs' }, binding: { name: 'editors' } }],
    });
  });

  it('tells admins alone who may do what', async () => {
    await viewer.http.get('/v1/cluster/namespaces/hpc/access').expect(403);
    const operator = await api.signIn('operator');
    await operator.http.get('/v1/cluster/namespaces/hpc/access').expect(403);
  });

  it.each([
    ['a name that is none', '/v1/cluster/namespaces/-x/access', 400, 'name'],
    ['a verb that is none', '/v1/cluster/namespaces/hpc/access?verb=GET', 400, 'verb'],
    ['a resource that is none', '/v1/cluster/namespaces/hpc/access?resource=a/b/c', 400, 'resource'],
    ['a resource that is not there', '/v1/cluster/namespaces/hpc/access?resource=widgets', 400, 'resource'],
    ['a namespace that is not there', '/v1/cluster/namespaces/nowhere/access', 404, ''],
  ])('refuses %s', async (_, path, status, field) => {
    const { body } = await admin.http.get(path).expect(status);
    expect(JSON.stringify(body.faults ?? '')).toContain(field);
  });
});

describe('mirroring on a real control plane', () => {
  const plan = async (name: string, change: Partial<MirrorPlan> = {}): Promise<MirrorPlan> => {
    const registry = { hosts: ['10.0.0.10:5000'], plainHttp: true };
    const images = await new ApiImageMirror(options()).images();
    const { copies } = chooseCopies(
      await toClusterImages(images.kind === 'present' ? images.value : [], null),
      registry,
    );
    return { name, namespace: 'mirror', registry, copies, options: { credentialsSecret: 'pull' }, ...change };
  };
  const mirror = () => new ApiImageMirror(options());
  const state = async (name: string) => {
    const answer = await mirror().state({ name, namespace: 'mirror' });
    return answer.kind === 'present' ? answer.value : answer.kind;
  };

  it('finds the images of the cluster, with the digests of the kubelets', async () => {
    await lab.api.create(
      '/api/v1/namespaces/hpc/pods',
      pod('one', [{ image: 'docker.io/library/nginx:latest' }, { image: `quay.io/a/b:1@${DIGEST}` }]),
    );
    await lab.api.patch('/api/v1/namespaces/hpc/pods/two/status', {
      status: {
        containerStatuses: [{ ...STATUS, name: 'c0', imageID: `docker.io/library/nginx@${DIGEST}` }],
      },
    });
    const { items } = await cluster().images();
    expect(items).toEqual([
      {
        reference: 'docker.io/library/nginx:latest',
        digests: [DIGEST],
        namespaces: ['hpc'],
        pods: [
          { namespace: 'hpc', name: 'one' },
          { namespace: 'hpc', name: 'two' },
        ],
        mirror: null,
      },
      expect.objectContaining({ reference: `quay.io/a/b:1@${DIGEST}`, mirror: null }),
    ]);
  });

  it('is accepted under restricted pod security, and completes', async () => {
    const two = await plan('mirror-1');
    expect(await mirror().start(two)).toEqual({ kind: 'started' });
    expect(await mirror().start(two)).toEqual({ kind: 'started' });
    await expect
      .poll(() => state('mirror-1'))
      .toEqual({
        phase: 'done',
        total: 2,
        copied: ['docker.io/library/nginx:latest', `quay.io/a/b:1@${DIGEST}`],
        failed: [],
        because: null,
      });
    const sources = (await lab.api.get('/api/v1/namespaces/mirror/configmaps/mirror-1')) as {
      metadata: { ownerReferences: { kind: string; name: string }[] };
    };
    expect(sources.metadata.ownerReferences).toMatchObject([{ kind: 'Job', name: 'mirror-1' }]);
  });

  it('fails with the reason of each image, and copies the others', async () => {
    await cordonAll(true);
    const failing = await plan('mirror-2', { options: { attempts: 1 } });
    expect(await mirror().start(failing)).toEqual({ kind: 'started' });
    await expect
      .poll(() => state('mirror-2'))
      .toMatchObject({ phase: 'running', because: expect.stringMatching(/^Unschedulable: 0\/4/) as string });
    const [first] = await podsOf('mirror-2', 0);
    await lab.api.patch(`/api/v1/namespaces/mirror/pods/${first}/status`, { status: FAILED });
    await cordonAll(null);
    await expect
      .poll(() => state('mirror-2'))
      .toEqual({
        phase: 'failed',
        total: 3,
        // Its own image is one that the cluster has run by now.
        copied: [`quay.io/a/b:1@${DIGEST}`, SKOPEO_IMAGE],
        failed: [{ reference: 'docker.io/library/nginx:latest', because: 'manifest unknown' }],
        because: 'Job has failed indexes',
      });
  });

  it('is stopped, with its pods', async () => {
    const job = { name: 'mirror-2', namespace: 'mirror' };
    expect(await mirror().stop(job)).toEqual({ kind: 'present', value: true });
    expect(await mirror().stop(job)).toEqual({ kind: 'present', value: true });
    await expect.poll(() => state('mirror-2')).toBe('absent');
    await expect.poll(() => podsOf('mirror-2')).toEqual([]);
  });

  it('is refused in a namespace that is not there, and cannot be had without the right', async () => {
    expect(await mirror().start(await plan('mirror-3', { namespace: 'nowhere' }))).toEqual({
      kind: 'refused',
      message: 'namespaces "nowhere" not found',
    });
    const mallory = new ApiImageMirror(options(await lab.kubeconfigOf('mallory')));
    expect(await mallory.start(await plan('mirror-3'))).toMatchObject({
      kind: 'unknown',
      because: expect.stringMatching(/mallory may not create configmaps/) as string,
    });
  });
});

const STATUS = {
  image: 'nginx',
  ready: true,
  restartCount: 0,
  state: { running: { startedAt: '2031-01-01T00:00:00Z' } },
};
const FAILED = {
  phase: 'Failed',
  containerStatuses: [
    {
      ...{ name: 'copy', image: 'skopeo', imageID: '', ready: false, restartCount: 0 },
      state: {
        terminated: { exitCode: 1, reason: 'Error', message: 'level=fatal msg="manifest unknown"\n' },
      },
    },
  ],
};

async function cordonAll(unschedulable: boolean | null): Promise<void> {
  const { items } = (await lab.api.get('/api/v1/nodes')) as { items: { metadata: { name: string } }[] };
  await Promise.all(
    items.map(({ metadata }) => lab.api.patch(`/api/v1/nodes/${metadata.name}`, { spec: { unschedulable } })),
  );
}

async function podsOf(job: string, index?: number): Promise<string[]> {
  const labels = [
    `batch.kubernetes.io/job-name=${job}`,
    ...(index === undefined ? [] : [`batch.kubernetes.io/job-completion-index=${index}`]),
  ].join(',');
  const { items } = (await lab.api.get(
    `/api/v1/namespaces/mirror/pods?labelSelector=${encodeURIComponent(labels)}`,
  )) as { items: { metadata: { name: string } }[] };
  return items.map(({ metadata }) => metadata.name);
}
