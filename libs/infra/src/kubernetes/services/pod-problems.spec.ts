import { describe, expect, it } from 'vitest';
import type { ApiEvent } from './api-events.ts';
import { podProblems } from './pod-problems.ts';
import type { ApiContainerStatus, ApiPod, ContainerState } from './workloads.ts';

const now = new Date('2026-11-23T02:00:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000).toISOString();
const container = (state: ContainerState, more: Partial<ApiContainerStatus> = {}): ApiContainerStatus => ({
  ...{ name: 'web', image: 'web:1', state },
  ...more,
});
const pod = (status: ApiPod['status']): ApiPod => ({
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1', uid: '1' }, spec: {} },
  status: { phase: 'Pending', ...status },
});
const event = (reason: string, message: string, seconds: number, count = 1): ApiEvent => ({
  metadata: { name: 'e' },
  involvedObject: { kind: 'Pod', name: 'web-1', uid: '1', fieldPath: 'spec.containers{web}' },
  ...{ reason, message, count, firstTimestamp: ago(seconds), lastTimestamp: ago(0) },
});
const problems = (status: ApiPod['status'], ...events: ApiEvent[]) =>
  podProblems(pod(status), { events, now });
const waiting = (reason: string, message?: string) =>
  container({ waiting: { reason, ...(message === undefined ? {} : { message }) } });

describe('a pod that is on its way', () => {
  it.each([
    ['being made', { containerStatuses: [waiting('ContainerCreating')] }],
    ['waiting for an init container', { containerStatuses: [waiting('PodInitializing')] }],
    ['done', { phase: 'Succeeded', containerStatuses: [container({ terminated: { exitCode: 0 } })] }],
    ['ready', { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }],
    ['without a status', {}],
    ['past an init container', { initContainerStatuses: [container({ terminated: { exitCode: 0 } })] }],
  ])('has no problem: %s', (_, status) => {
    expect(problems(status)).toEqual([]);
  });

  it('has none either while it is removed', () => {
    const leaving = pod({ containerStatuses: [waiting('CrashLoopBackOff')] });
    leaving.metadata.deletionTimestamp = ago(1);
    expect(podProblems(leaving, { events: [], now })).toEqual([]);
  });
});

describe('an image that cannot be had', () => {
  const timeout = 'Failed to pull image "web:1": i/o timeout';
  const status = (reason: string, message?: string) => ({ containerStatuses: [waiting(reason, message)] });

  it.each([
    ['for the first time', status('ErrImagePull', 'i/o timeout'), [event('Failed', timeout, 10)], false],
    ['for the third time', status('ErrImagePull', 'i/o timeout'), [event('Failed', timeout, 40, 3)], true],
    ['for a minute', status('ImagePullBackOff'), [event('Failed', timeout, 60)], true],
    [
      'for less, though pulling began long ago',
      { ...status('ImagePullBackOff'), startTime: ago(600) },
      [event('Failed', timeout, 10)],
      false,
    ],
    [
      'for a minute, and its events are gone',
      { ...status('ImagePullBackOff'), startTime: ago(70) },
      [],
      true,
    ],
    ['because there is none', status('ImagePullBackOff', 'web:1: not found'), [], true],
    ['because there is none, just now', status('ErrImagePull', 'web:1: not found'), [], false],
    [
      'because of another architecture',
      status('ImagePullBackOff'),
      [event('Failed', 'Failed to pull image "web:1": no match for platform in manifest', 1)],
      true,
    ],
    ['because its name is none', status('InvalidImageName'), [], true],
  ])('is lasting or not: %s', (_, state, events, lasting) => {
    expect(problems(state, ...events)).toMatchObject([{ lasting, container: 'web' }]);
  });
});

describe('a container that ends', () => {
  const loop = (restartCount: number, exitCode: number, reason = 'Error') => ({
    phase: 'Running',
    containerStatuses: [
      container(
        { waiting: { reason: 'CrashLoopBackOff' } },
        { restartCount, lastState: { terminated: { exitCode, reason } } },
      ),
    ],
  });

  it('is lasting from its third start on', () => {
    expect(problems(loop(5, 1))).toMatchObject([{ mayWaitForOthers: true }]);
    expect(problems(loop(6, 1))).toMatchObject([{ mayWaitForOthers: false }]);
    expect(problems(loop(2, 1))).toMatchObject([
      { code: 'CrashLoopBackOff', lasting: false, lines: 'previous' },
    ]);
    expect(problems(loop(3, 1))).toMatchObject([{ lasting: true }]);
    expect(problems(loop(3, 0))).toMatchObject([
      { lasting: true, message: expect.stringMatching(/exit code 0/) },
    ]);
    expect(problems(loop(3, 137, 'OOMKilled'))).toMatchObject([{ code: 'OOMKilled' }]);
  });

  it('is told between its end and its next start, init containers as well', () => {
    const ended = container({ terminated: { exitCode: 2, message: 'no such table\n' } });
    expect(problems({ initContainerStatuses: [ended] })).toEqual([
      {
        ...{ code: 'CrashLoopBackOff', lasting: false, container: 'web', lines: 'current' },
        mayWaitForOthers: true,
        message: 'The container web has ended with exit code 2: no such table',
      },
    ]);
  });

  it('fails its pod where it is not started again; a controller replaces it', () => {
    const ended = container({ terminated: { exitCode: 0, signal: 9, reason: 'Error' } });
    expect(problems({ phase: 'Failed', containerStatuses: [ended] })).toMatchObject([
      { code: 'PodFailed', lasting: true, lines: null },
    ]);
    const evicted = pod({ phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory' });
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: '2' };
    const owned = { ...evicted, metadata: { ...evicted.metadata, ownerReferences: [owner] } };
    expect(podProblems(owned, { events: [], now })).toEqual([
      {
        ...{ code: 'Evicted', lasting: false, mayWaitForOthers: false, container: null, lines: null },
        message: 'It has failed: The node was low on memory',
      },
    ]);
    expect(podProblems(evicted, { events: [], now })).toMatchObject([{ lasting: true }]);
  });
});

describe('a pod that cannot start', () => {
  const starting = { containerStatuses: [waiting('ContainerCreating')] };

  it.each([
    ['a volume', starting, [event('FailedMount', 'mount.nfs: timed out', 119)], 'FailedMount', false],
    [
      'a volume, for two minutes',
      starting,
      [event('FailedMount', 'mount.nfs: timed out', 120)],
      'FailedMount',
      true,
    ],
    [
      'its network',
      starting,
      [event('FailedCreatePodSandBox', 'no CNI', 5)],
      'FailedCreatePodSandBox',
      false,
    ],
    [
      'a Secret',
      { containerStatuses: [waiting('CreateContainerConfigError', 'secret "a" not found')] },
      [event('Failed', 'Error: secret "a" not found', 30)],
      'CreateContainerConfigError',
      false,
    ],
    [
      'a Secret, for a minute',
      { containerStatuses: [waiting('CreateContainerConfigError')] },
      [event('Failed', 'Error: secret "a" not found', 60)],
      'CreateContainerConfigError',
      true,
    ],
    [
      'a node',
      {
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: '0/4',
            lastTransitionTime: ago(119),
          },
        ],
      },
      [],
      'Unschedulable',
      false,
    ],
    [
      'a node, for two minutes',
      {
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: '0/4',
            lastTransitionTime: ago(120),
          },
        ],
      },
      [],
      'Unschedulable',
      true,
    ],
  ])('says what it lacks: %s', (_, status, events, code, lasting) => {
    expect(problems(status, ...events)).toMatchObject([{ code, lasting }]);
  });

  it('says nothing of a volume once its containers run', () => {
    const running = { phase: 'Running', containerStatuses: [container({ running: {} })] };
    expect(problems(running, event('FailedMount', 'mount.nfs: timed out', 300))).toEqual([]);
    expect(problems(running, event('Unhealthy', 'Readiness probe failed', 300))).toMatchObject([
      { code: 'Unhealthy', lasting: false },
    ]);
  });
});
