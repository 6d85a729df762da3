import { describe, expect, it } from 'vitest';
import { readImageReference } from './image-reference.ts';
import { mirrorJob, mirrorSources } from './mirror-job.ts';
import type { MirrorPlan } from './mirror-plan.ts';
import { type ApiJob, type ApiJobPod, readMirrorState } from './mirror-state.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;
const IMAGES = ['nginx:1.27', `quay.io/prometheus/prometheus:v3@${DIGEST}`, 'ghcr.io/a/b:1', 'redis:8'];
const plan = (change: Partial<MirrorPlan> = {}): MirrorPlan => ({
  name: 'mirror-1',
  namespace: 'registry',
  registry: { hosts: ['10.0.0.10:5000'], plainHttp: true },
  copies: IMAGES.flatMap((image) => readImageReference(image) ?? []),
  options: {},
  ...change,
});
const podSpec = (of: MirrorPlan) => mirrorJob(of).spec.template.spec;

describe('the Job of a mirroring', () => {
  it('has an index for each image, and what it copies in a file of its own', () => {
    const { spec, metadata } = mirrorJob(plan());
    expect(spec).toMatchObject({
      ...{ completionMode: 'Indexed', completions: 4, parallelism: 2, backoffLimitPerIndex: 2 },
      ...{ activeDeadlineSeconds: 21_600, ttlSecondsAfterFinished: 86_400 },
    });
    expect(metadata.annotations).toEqual({
      'bramble/images': [
        'docker.io/library/nginx:1.27',
        `quay.io/prometheus/prometheus:v3@${DIGEST}`,
        'ghcr.io/a/b:1',
        'docker.io/library/redis:8',
      ].join('\n'),
    });
    const { data } = mirrorSources(plan());
    expect(JSON.parse(data['0.yaml'] ?? '')).toEqual({
      'docker.io': { images: { 'library/nginx': ['1.27'] } },
    });
    expect(JSON.parse(data['1.yaml'] ?? '')).toEqual({
      'quay.io': { images: { 'prometheus/prometheus': ['v3', DIGEST] } },
    });
    expect(Object.keys(data)).toHaveLength(4);
  });

  it('copies all architectures, with arguments that no image has a part in', () => {
    const [container] = podSpec(plan()).containers;
    expect(container?.command).toEqual(['/usr/bin/skopeo']);
    expect(container?.args).toEqual([
      ...['sync', '--all', '--preserve-digests', '--scoped', '--retry-times=2', '--dest-tls-verify=false'],
      ...['--src=yaml', '--dest=docker', '/sources/$(JOB_COMPLETION_INDEX).yaml', '10.0.0.10:5000'],
    ]);
    const [secure] = podSpec(
      plan({ registry: { hosts: ['registry.home.lab'], plainHttp: false } }),
    ).containers;
    expect(secure?.args).toContain('--dest-tls-verify=true');
  });

  it('has credentials from a Secret where one is named, and no other', () => {
    expect(JSON.stringify(mirrorJob(plan()))).not.toMatch(/AUTH|secret/i);
    const { containers, volumes } = podSpec(plan({ options: { credentialsSecret: 'pull' } }));
    expect(containers[0]?.env).toContainEqual({
      name: 'REGISTRY_AUTH_FILE',
      value: '/credentials/auth.json',
    });
    expect(volumes).toContainEqual({
      name: 'credentials',
      secret: {
        secretName: 'pull',
        defaultMode: 0o440,
        items: [{ key: '.dockerconfigjson', path: 'auth.json' }],
      },
    });
  });

  it('does no more at once than there are images', () => {
    const [first] = plan().copies;
    const copies = first === undefined ? [] : [first];
    expect(mirrorJob(plan({ copies })).spec.parallelism).toBe(1);
  });
});

const job = (status: ApiJob['status'] = {}): ApiJob => ({ metadata: mirrorJob(plan()).metadata, status });
const pod = (index: number, status: ApiJobPod['status'] = {}, creationTimestamp = ''): ApiJobPod => ({
  metadata: {
    annotations: { 'batch.kubernetes.io/job-completion-index': String(index) },
    creationTimestamp,
  },
  status,
});
const ended = (message?: string): ApiJobPod['status'] => ({
  phase: 'Failed',
  containerStatuses: [
    {
      state: { terminated: { exitCode: 1, reason: 'Error', ...(message === undefined ? {} : { message }) } },
    },
  ],
});

const LINE = (level: string, text: string) => `time="2031-01-01T00:00:00Z" level=${level} msg="${text}"\n`;
const UNKNOWN = 'copying \\"prometheus:v3\\": manifest unknown';

describe('the state of a mirroring', () => {
  it('is read from the indexes of the Job', () => {
    expect(readMirrorState(job(), [])).toEqual({
      ...{ phase: 'running', total: 4, copied: [], failed: [], because: null },
    });
    const done = {
      completedIndexes: '0-3',
      conditions: [
        { type: 'SuccessCriteriaMet', status: 'True' },
        { type: 'Complete', status: 'True' },
      ],
    };
    expect(readMirrorState(job(done), [])).toMatchObject({ phase: 'done', copied: { length: 4 } });
  });

  it('tells which images failed, and why, by the last attempt', () => {
    const failed = {
      completedIndexes: '0,2-3',
      failedIndexes: '1',
      conditions: [
        { type: 'Failed', status: 'True', reason: 'FailedIndexes', message: 'Job has failed indexes' },
      ],
    };
    const pods = [
      pod(1, ended(`${LINE('info', 'Processing repo')}${LINE('fatal', UNKNOWN)}`), '2031-01-01T00:00:02Z'),
      pod(1, ended('time-out'), '2031-01-01T00:00:01Z'),
    ];
    expect(readMirrorState(job(failed), pods)).toEqual({
      phase: 'failed',
      total: 4,
      copied: ['docker.io/library/nginx:1.27', 'ghcr.io/a/b:1', 'docker.io/library/redis:8'],
      failed: [
        {
          reference: `quay.io/prometheus/prometheus:v3@${DIGEST}`,
          because: 'copying "prometheus:v3": manifest unknown',
        },
      ],
      because: 'Job has failed indexes',
    });
  });

  it.each([
    ['it is no line of a log', [pod(1, ended('first\nexec format error\n'))], 'exec format error'],
    ['nothing is written', [pod(1, ended())], 'It ended with 1 (Error), and has written nothing.'],
    ['the pod is gone', [], 'Its pod is gone, and with it the reason.'],
    [
      'the node took it away',
      [pod(1, { phase: 'Failed', message: 'The node was low on resource: memory.' })],
      'The node was low on resource: memory.',
    ],
  ])('has a reason where %s', (_, pods, because) => {
    expect(readMirrorState(job({ failedIndexes: '1' }), pods).failed[0]?.because).toBe(because);
  });

  it.each<[ApiJobPod['status'], string | null]>([
    [
      {
        phase: 'Pending',
        containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff', message: 'no such host' } } }],
      },
      'ImagePullBackOff: no such host',
    ],
    [
      { phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } } }] },
      null,
    ],
    [
      {
        phase: 'Pending',
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/4 nodes' },
        ],
      },
      'Unschedulable: 0/4 nodes',
    ],
    [{ phase: 'Running' }, null],
  ])('tells what holds it up: %j', (status, because) => {
    expect(readMirrorState(job(), [pod(0, status)]).because).toBe(because);
  });
});
