import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReleaseName } from '#core/services/helm-releases';
import type { KubeLab } from '../../lab/kube/kube-lab.ts';
import { BUILD_TIMEOUT_MS, sharedControlPlane } from '../../lab/kube/shared-control-plane.ts';
import {
  type Fields,
  ReleaseLab,
  UNTOUCHED,
  ago,
  deployment,
  podTemplate,
  stamp,
  statefulSet,
  valueOf,
} from './release-lab.ts';

const POLL = { interval: 100 };
let lab: KubeLab;
let releases: ReleaseLab;
beforeAll(async () => {
  lab = await sharedControlPlane();
  releases = new ReleaseLab(lab);
}, BUILD_TIMEOUT_MS);
afterAll(() => releases.dispose());

const release = (name: string): ReleaseName => ({ name, namespace: name });
const health = async (name: ReleaseName, manifest: string) =>
  valueOf(await releases.objects.health(name, manifest));
const condition = (type: string, status: string, more: Fields = {}): Fields => ({
  ...{ type, status, lastTransitionTime: stamp(new Date()), ...more },
});
const notReady = [condition('PodScheduled', 'True'), condition('Ready', 'False')];
const container = (name: string, state: Fields, more: Fields = {}): Fields => ({
  ...{
    name,
    image: `registry.home.lab/${name}:1`,
    imageID: '',
    ready: false,
    restartCount: 0,
    state,
    ...more,
  },
});
const waiting = (reason: string, message?: string): Fields => ({
  waiting: { reason, ...(message === undefined ? {} : { message }) },
});
const podPath = (namespace: string, name: string) => `/api/v1/namespaces/${namespace}/pods/${name}`;
const claim = (name: string, spec: Fields = {}): Fields => ({
  ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name } },
  // Without a class on purpose: another spec may have one that is the default.
  spec: {
    ...{ accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: '' },
    ...spec,
  },
});
const job = (name: string, spec: Fields = {}): Fields => ({
  ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name } },
  spec: { backoffLimit: 0, template: podTemplate(name, { restartPolicy: 'Never', ...spec }) },
});

describe('a release that is well', () => {
  it('is ready when all of its workloads are, each by the rules of its kind', async () => {
    await lab.api.create('/apis/storage.k8s.io/v1/storageclasses', {
      ...{ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'late' } },
      ...{ provisioner: 'example.org/none', volumeBindingMode: 'WaitForFirstConsumer' },
    });
    const name = release('well');
    const daemonSet = (of: string, pod: Fields = {}) => ({
      ...{ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: of } },
      spec: { selector: { matchLabels: { app: of } }, template: podTemplate(of, pod) },
    });
    const manifest = await releases.install(
      name,
      deployment('web', {}, { replicas: 2 }),
      statefulSet('store', {}, { replicas: 2, updateStrategy: { rollingUpdate: { partition: 1 } } }),
      daemonSet('agent'),
      daemonSet('nowhere', { nodeSelector: { color: 'green' } }),
      job('migrate'),
      { ...podTemplate('alone'), apiVersion: 'v1', kind: 'Pod', metadata: { name: 'alone' } },
      claim('late', { storageClassName: 'late' }),
      deployment('none', {}, { replicas: 0 }),
    );
    await expect
      .poll(async () => (await health(name, manifest)).workloads.filter(({ ready }) => !ready), POLL)
      .toEqual([]);
    const { workloads, problems } = await health(name, manifest);
    expect(problems).toEqual([]);
    const details = workloads.map(({ object, detail }) => [`${object.kind} ${object.name}`, detail]);
    expect(Object.fromEntries(details)).toEqual({
      'Deployment web': '2 of 2 replicas are ready',
      'StatefulSet store': '2 of 2 replicas are ready',
      'DaemonSet agent': 'It is ready on 4 of 4 nodes',
      'DaemonSet nowhere': 'No node is meant for it',
      'Job migrate': 'It is done',
      'Pod alone': 'It is ready',
      'PersistentVolumeClaim late': 'It is bound when the first pod uses it',
      'Deployment none': '0 of 0 replicas are ready',
    });
  });

  it('is not ready where something of it is gone', async () => {
    const name = release('well');
    const { workloads } = await health(name, JSON.stringify(deployment('gone')));
    expect(workloads).toMatchObject([{ ready: false, detail: 'It is not there' }]);
  });

  it('is ready where a job has removed itself', async () => {
    const once = { ...job('once'), spec: { ttlSecondsAfterFinished: 60 } };
    const { workloads } = await health(release('well'), JSON.stringify(once));
    expect(workloads).toMatchObject([{ ready: true, detail: 'It has ended and was removed' }]);
    expect(valueOf(await releases.objects.drift(release('well'), JSON.stringify(once)))).toEqual([]);
  });
});

describe('a release of custom resources', () => {
  it('is ready when what their operator has made is, and when they say so', async () => {
    await lab.api.create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
      metadata: { name: 'issuers.example.org' },
      spec: {
        ...{ group: 'example.org', scope: 'Namespaced', names: { kind: 'Issuer', plural: 'issuers' } },
        versions: [
          {
            ...{ name: 'v1', served: true, storage: true, subresources: { status: {} } },
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: { status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
              },
            },
          },
        ],
      },
    });
    const name = release('custom');
    const issuer = { apiVersion: 'example.org/v1', kind: 'Issuer', metadata: { name: 'lab' } };
    await expect
      .poll(
        async () => valueOf(await releases.objects.capabilities()).kinds.has('example.org/v1/Issuer'),
        POLL,
      )
      .toBe(true);
    const manifest = await releases.install(name, issuer);
    const path = '/apis/example.org/v1/namespaces/custom/issuers/lab';
    const states = async () =>
      (await health(name, manifest)).workloads.map(({ object, ready, detail }) => [
        object.kind,
        ready,
        detail,
      ]);
    expect(await states()).toEqual([]);
    const { metadata } = (await lab.api.get(path)) as { metadata: { uid: string } };
    await lab.api.create('/apis/apps/v1/namespaces/custom/deployments', {
      ...deployment('made'),
      metadata: {
        name: 'made',
        ownerReferences: [{ apiVersion: 'example.org/v1', kind: 'Issuer', name: 'lab', uid: metadata.uid }],
      },
    });
    const ready = ['Deployment', true, '1 of 1 replica is ready'];
    await expect.poll(states, POLL).toEqual([ready]);
    await releases.writeStatus(path, {
      conditions: [{ type: 'Ready', status: 'False', message: 'the secret is missing' }],
    });
    expect(await states()).toEqual([ready, ['Issuer', false, 'It is not ready: the secret is missing']]);
    await releases.writeStatus(path, { conditions: [{ type: 'Ready', status: 'True' }] });
    expect(await states()).toEqual([ready, ['Issuer', true, 'It is ready']]);
  });
});

describe('what is wrong with a release', () => {
  const name = release('ill');
  let manifest = '';
  const problemsOf = async (workload: string) =>
    (await health(name, manifest)).problems.filter(({ object }) => object.name === workload);
  const write = async (app: string, status: Fields, count = 1) => {
    const pods = await releases.pods('ill', `${app}-`, count);
    for (const { metadata } of pods) await releases.writeStatus(podPath('ill', metadata.name), status);
    return pods;
  };
  const running = async (app: string) => {
    await expect
      .poll(async () => (await releases.pods('ill', `${app}-`)).map(({ status }) => status.phase), POLL)
      .toEqual(['Running']);
  };

  beforeAll(async () => {
    manifest = await releases.install(
      name,
      deployment('pull', UNTOUCHED, { replicas: 2 }),
      deployment('crash'),
      deployment('config', UNTOUCHED),
      deployment('mount', UNTOUCHED),
      deployment('probe'),
      deployment('nowhere', { nodeSelector: { color: 'green' } }),
      deployment('slow', UNTOUCHED, { progressDeadlineSeconds: 1 }),
      job('migrate', UNTOUCHED),
      claim('data'),
    );
  });

  it('is an image that cannot be pulled: at first it may pass', async () => {
    const message = 'Failed to pull image "registry.home.lab/pull:1": dial tcp 10.0.0.10:443: i/o timeout';
    const pulling = (reason: string) => ({
      ...{ phase: 'Pending', conditions: notReady, startTime: stamp(ago(5)) },
      containerStatuses: [container('pull', waiting(reason, 'Back-off pulling image'))],
    });
    const [pod] = await write('pull', pulling('ErrImagePull'), 2);
    if (pod === undefined) throw new Error('There is no pod');
    const event = { reason: 'Failed', message, container: 'pull' };
    await releases.writeEvent('ill', pod.metadata, { ...event, firstAt: ago(5) });
    expect(await problemsOf('pull')).toEqual([
      {
        code: 'ImagePullBackOff',
        message: expect.stringMatching(
          /^Pod pull-\S+: The image registry\.home\.lab\/pull:1 of the container pull cannot be had: .*\(and 1 other pod alike\)$/,
        ),
        object: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'ill', name: 'pull' },
        ...{ lasting: false, lastLines: [] },
      },
    ]);
    await releases.writeEvent('ill', pod.metadata, { ...event, firstAt: ago(30), lastAt: ago(2), count: 3 });
    expect(await problemsOf('pull')).toMatchObject([
      { lasting: true, message: expect.stringMatching(/i\/o timeout/) },
    ]);
    await write('pull', {
      ...pulling('ImagePullBackOff'),
      containerStatuses: [container('pull', waiting('ImagePullBackOff', 'pull:1: not found'))],
    });
    expect(await problemsOf('pull')).toMatchObject([{ lasting: true }]);
  });

  it('is a container that ends again and again, with its last lines', async () => {
    await running('crash');
    const crashed = (restartCount: number, terminated: Fields) => ({
      conditions: notReady,
      containerStatuses: [
        container('crash', waiting('CrashLoopBackOff'), { restartCount, lastState: { terminated } }),
      ],
    });
    const [pod] = await write('crash', crashed(1, { exitCode: 134, reason: 'Error' }));
    const of = { namespace: 'ill', pod: pod?.metadata.name ?? '', container: 'crash' };
    await lab.printLines(of, ['starting', '<jemalloc>: Unsupported system page size'], { previous: true });
    await expect
      .poll(async () => (await problemsOf('crash'))[0]?.lastLines, POLL)
      .toEqual(['starting', '<jemalloc>: Unsupported system page size']);
    expect(await problemsOf('crash')).toMatchObject([
      {
        ...{ code: 'CrashLoopBackOff', lasting: false },
        message: `Pod ${of.pod}: The container crash has ended with exit code 134, and was started again 1 time`,
      },
    ]);
    // Others are still starting, and may be what it waits for.
    await write('crash', crashed(3, { exitCode: 137, reason: 'OOMKilled' }));
    expect(await problemsOf('crash')).toMatchObject([{ code: 'OOMKilled', lasting: false }]);
    await write('crash', crashed(6, { exitCode: 137, reason: 'OOMKilled' }));
    expect(await problemsOf('crash')).toMatchObject([
      {
        ...{ code: 'OOMKilled', lasting: true },
        message: `Pod ${of.pod}: The container crash needs more memory than its limit and was killed, and was started again 6 times`,
      },
    ]);
  });

  it('is a Secret that is missing, a volume that cannot be mounted, a probe that fails', async () => {
    const message = 'secret "tls" not found';
    await write('config', {
      ...{ phase: 'Pending', conditions: notReady, startTime: stamp(ago(90)) },
      containerStatuses: [container('config', waiting('CreateContainerConfigError', message))],
    });
    expect(await problemsOf('config')).toMatchObject([
      {
        ...{ code: 'CreateContainerConfigError', lasting: true },
        message: expect.stringMatching(/The container config cannot be made: secret "tls" not found$/),
      },
    ]);
    const [mounting] = await write('mount', {
      ...{ phase: 'Pending', conditions: notReady },
      containerStatuses: [container('mount', waiting('ContainerCreating'))],
    });
    if (mounting === undefined) throw new Error('There is no pod');
    await releases.writeEvent('ill', mounting.metadata, {
      ...{ reason: 'FailedMount', message: 'mount.nfs: Connection timed out', firstAt: ago(130) },
    });
    expect(await problemsOf('mount')).toMatchObject([
      { code: 'FailedMount', lasting: true, message: expect.stringMatching(/Connection timed out/) },
    ]);
    await running('probe');
    const [probed] = await write('probe', {
      conditions: notReady,
      containerStatuses: [container('probe', { running: { startedAt: stamp(ago(20)) } })],
    });
    if (probed === undefined) throw new Error('There is no pod');
    await releases.writeEvent('ill', probed.metadata, {
      ...{
        reason: 'Unhealthy',
        message: 'Readiness probe failed: HTTP 503',
        container: 'probe',
        firstAt: ago(20),
      },
    });
    expect(await problemsOf('probe')).toMatchObject([
      { code: 'Unhealthy', lasting: false, message: expect.stringMatching(/HTTP 503/) },
    ]);
  });

  it('is that no node takes a pod, in the words of the scheduler', async () => {
    await expect
      .poll(() => problemsOf('nowhere'), POLL)
      .toMatchObject([
        {
          ...{ code: 'Unschedulable', lasting: false },
          message: expect.stringMatching(
            /No node takes it: 0\/4 nodes are available: .*node affinity\/selector/,
          ),
        },
      ]);
    const unscheduled = condition('PodScheduled', 'False', {
      ...{ reason: 'Unschedulable', message: '0/4 nodes are available', lastTransitionTime: stamp(ago(130)) },
    });
    await write('nowhere', { conditions: [unscheduled] });
    expect(await problemsOf('nowhere')).toMatchObject([{ lasting: true }]);
  });

  it('is a job that has failed, a rollout without progress, and a claim that gets no volume', async () => {
    await write('migrate', {
      phase: 'Failed',
      containerStatuses: [container('migrate', { terminated: { exitCode: 2, reason: 'Error' } })],
    });
    await expect
      .poll(async () => (await problemsOf('migrate')).map(({ code }) => code), POLL)
      .toContain('JobFailed');
    expect(await problemsOf('migrate')).toMatchObject([
      { code: 'JobFailed', lasting: true, message: expect.stringMatching(/BackoffLimitExceeded/) },
      {
        code: 'PodFailed',
        lasting: false,
        message: expect.stringMatching(/the container migrate has ended with exit code 2/),
      },
    ]);
    await expect
      .poll(() => problemsOf('slow'), POLL)
      .toMatchObject([{ code: 'ProgressDeadlineExceeded', lasting: true }]);
    await expect
      .poll(() => problemsOf('data'), POLL)
      .toMatchObject([
        { code: 'FailedBinding', lasting: false, message: expect.stringMatching(/no storage class is set/) },
      ]);
  });

  it('shows in its events, newest first, and not in those of another release', async () => {
    const events = valueOf(await releases.objects.events(name, manifest));
    expect(events.find(({ code }) => code === 'FailedMount')).toMatchObject({
      ...{ type: 'Warning', count: 1, message: 'mount.nfs: Connection timed out' },
      object: { kind: 'Pod', namespace: 'ill', name: expect.stringMatching(/^mount-/) },
    });
    expect(
      events.find(({ code, object }) => code === 'Failed' && object.name.startsWith('pull-')),
    ).toMatchObject({
      count: 4,
    });
    expect(events.map(({ code }) => code)).toEqual(
      expect.arrayContaining([
        'ScalingReplicaSet',
        'SuccessfulCreate',
        'Scheduled',
        'FailedScheduling',
        'FailedBinding',
      ]),
    );
    const times = events.map(({ at }) => at.getTime());
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    const other = { name: 'other', namespace: 'ill' };
    expect(valueOf(await releases.objects.events(other, JSON.stringify(deployment('stranger'))))).toEqual([]);
  });

  it('can be read in the logs of its containers', async () => {
    const [pod] = await releases.pods('ill', 'probe-');
    const of = { namespace: 'ill', pod: pod?.metadata.name ?? '', container: 'probe' };
    await lab.printLines(of, ['one', 'two', 'three']);
    const log = async () => {
      const logs = await releases.objects.tail(name, manifest, { lines: 2, previous: false });
      return valueOf(logs).find(({ container: from }) => from === 'probe');
    };
    await expect.poll(log, POLL).toEqual({ ...of, lines: ['two', 'three'], because: null });
    const all = valueOf(await releases.objects.tail(name, manifest, { lines: 2, previous: false }));
    expect(all.find(({ container: from }) => from === 'config')).toMatchObject({
      lines: [],
      because: 'The pod is on no node yet',
    });
    expect(all.map(({ container: from }) => from).sort()).toEqual([
      'config',
      'crash',
      'migrate',
      'mount',
      'nowhere',
      'probe',
      'pull',
      'pull',
      'slow',
    ]);
  });
});

describe('pods that are refused', () => {
  it('are told with what Pod Security says, for each kind of workload', async () => {
    const name = release('refused');
    valueOf(
      await releases.objects.ensureNamespace('refused', {
        'pod-security.kubernetes.io/enforce': 'restricted',
      }),
    );
    const manifest = await releases.install(name, deployment('web'), statefulSet('store'));
    const found = async () =>
      (await health(name, manifest)).problems.map(({ code, lasting, object }) => [
        object.name,
        code,
        lasting,
      ]);
    await expect.poll(found, POLL).toEqual([
      ['web', 'FailedCreate', true],
      ['store', 'FailedCreate', true],
    ]);
    const [problem] = (await health(name, manifest)).problems;
    expect(problem?.message).toMatch(/^Its pods are refused: .*violates PodSecurity "restricted:latest"/);
    // Mended by a change, it is over, although the events are still there.
    await releases.install(name, deployment('web'), statefulSet('store', {}, { replicas: 0 }));
    await expect.poll(found, POLL).toEqual([['web', 'FailedCreate', true]]);
  });
});

describe('a rollout', () => {
  const broken = { conditions: [condition('PodScheduled', 'True'), condition('Ready', 'False')] };
  const crashing = (name: string): Fields => ({
    ...broken,
    containerStatuses: [
      container(name, waiting('CrashLoopBackOff'), {
        restartCount: 3,
        lastState: { terminated: { exitCode: 1 } },
      }),
    ],
  });
  const image = (name: string, tag: number): Fields => ({
    containers: [{ name, image: `registry.home.lab/${name}:${tag}` }],
  });

  it('is not held to be what the revision before was', async () => {
    const name = release('rollout');
    let manifest = await releases.install(name, deployment('web', image('web', 1)));
    const codes = async () =>
      (await health(name, manifest)).problems.map(({ code, lasting }) => `${code} ${lasting}`);
    const ready = async () => (await health(name, manifest)).workloads.every((workload) => workload.ready);
    await expect.poll(ready, POLL).toBe(true);
    const [pod] = await releases.pods('rollout', 'web-');
    await releases.writeStatus(podPath('rollout', pod?.metadata.name ?? ''), crashing('web'));
    await expect.poll(codes, POLL).toEqual(['CrashLoopBackOff true']);
    manifest = await releases.install(name, deployment('web', image('web', 2)));
    const seen = new Set<string>();
    await expect
      .poll(async () => {
        for (const code of await codes()) seen.add(code);
        return ready();
      }, POLL)
      .toBe(true);
    expect([...seen]).toEqual([]);
  });

  it('of a stateful set that waits for a broken pod goes on when that is deleted', async () => {
    const name = release('stuck');
    await releases.install(name, statefulSet('store', image('store', 1)));
    const [pod] = await releases.pods('stuck', 'store-0');
    await expect
      .poll(async () => (await releases.pods('stuck', 'store-0')).map(({ status }) => status.phase), POLL)
      .toEqual(['Running']);
    await releases.writeStatus(podPath('stuck', pod?.metadata.name ?? ''), crashing('store'));
    const manifest = await releases.install(name, statefulSet('store', image('store', 2)));
    await expect
      .poll(async () => (await health(name, manifest)).problems, POLL)
      .toMatchObject([
        { code: 'StuckRollout', message: expect.stringMatching(/^Pod store-0 is of the revision before/) },
      ]);
    expect(valueOf(await releases.objects.removeStuckPods(name, manifest))).toEqual([
      { apiVersion: 'v1', kind: 'Pod', namespace: 'stuck', name: 'store-0' },
    ]);
    await expect.poll(async () => (await health(name, manifest)).workloads[0]?.ready, POLL).toBe(true);
    expect(valueOf(await releases.objects.removeStuckPods(name, manifest))).toEqual([]);
  });
});
