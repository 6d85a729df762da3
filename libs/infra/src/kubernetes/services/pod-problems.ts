import { conditionOf } from './api-object.ts';
import { type ApiEvent, sightingOf } from './api-events.ts';
import { PATIENCE, dateOf, hasLasted } from './patience.ts';
import type { ApiContainerStatus, ApiPod, TerminatedState } from './workloads.ts';

/** What is wrong with a pod, or with one of its containers. */
export interface PodProblem {
  code: string;
  message: string;
  lasting: boolean;
  /** Whether it may pass all the same when others of the release are ready, such as the database that it needs. */
  mayWaitForOthers: boolean;
  /** The container that it is about. */
  container: string | null;
  /** Where its last lines are: it was started again since, it has ended, or there are none. */
  lines: 'previous' | 'current' | null;
}

const IMAGE_REASONS: readonly string[] = ['ErrImagePull', 'ImagePullBackOff', 'RegistryUnavailable'];
/** Nobody but an admin ends these. */
const FINAL_REASONS: readonly string[] = ['InvalidImageName', 'ErrImageNeverPull'];
/** A registry that says so says so again. */
const FINAL_REFUSALS =
  /not found|no match for platform|no matching manifest|manifest unknown|unauthorized|denied|forbidden/i;
const CONFIGURATION_REASONS: readonly string[] = [
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'PreCreateHookError',
  'PostStartHookError',
];
const STARTING_REASONS: readonly string[] = ['ContainerCreating', 'PodInitializing'];
const VOLUME_EVENTS: readonly string[] = ['FailedMount', 'FailedAttachVolume', 'FailedMapVolume'];
const STARTING_EVENTS: readonly string[] = [...VOLUME_EVENTS, 'FailedCreatePodSandBox'];
/** A probe that failed longer ago may have succeeded since. */
const PROBE_AGE_MS = 60_000;

interface Circumstances {
  /** Warnings about the pod. */
  events: readonly ApiEvent[];
  now: Date;
}

/** What keeps a pod from becoming ready; nothing where it is on its way, or done. */
export function podProblems(pod: ApiPod, circumstances: Circumstances): PodProblem[] {
  const { metadata, status } = pod;
  if (metadata.deletionTimestamp !== undefined || status?.phase === 'Succeeded') return [];
  if (status?.phase === 'Failed') return [failedPod(pod)];
  if (conditionOf(status?.conditions, 'Ready')?.status === 'True') return [];
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const problems = [
    ...unscheduled(pod, circumstances),
    ...containers.flatMap((container) => containerProblems(pod, container, circumstances)),
    ...startProblems(pod, containers, circumstances),
  ];
  return problems.length > 0 ? problems : probeProblems(circumstances);
}

/** Where it has a controller, this replaces it; a job says itself when it has given up. */
function failedPod({ metadata, status }: ApiPod): PodProblem {
  const isFinal = (metadata.ownerReferences ?? []).length === 0;
  const ended = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].find(
    ({ state }) => (state?.terminated?.exitCode ?? 0) !== 0,
  );
  const end = ended?.state?.terminated;
  const because =
    status?.message ??
    (ended === undefined || end === undefined
      ? undefined
      : `the container ${ended.name} ${describeEnd(end)}`);
  const isEvicted = status?.reason === 'Evicted';
  return {
    code: status?.reason ?? (isOutOfMemory(ended) ? 'OOMKilled' : 'PodFailed'),
    message: `It has failed${because === undefined ? '' : `: ${because}`}`,
    lasting: isFinal,
    mayWaitForOthers: false,
    container: ended?.name ?? null,
    lines: ended === undefined || isEvicted ? null : 'current',
  };
}

function unscheduled({ status }: ApiPod, { now }: Circumstances): PodProblem[] {
  const scheduled = conditionOf(status?.conditions, 'PodScheduled');
  if (scheduled?.status !== 'False') return [];
  const since = dateOf(scheduled.lastTransitionTime);
  return [
    {
      code: scheduled.reason ?? 'Unschedulable',
      message: `No node takes it: ${scheduled.message ?? 'the scheduler does not say why'}`,
      lasting: hasLasted(since, now, PATIENCE.schedulingMs),
      mayWaitForOthers: false,
      container: null,
      lines: null,
    },
  ];
}

function containerProblems(
  pod: ApiPod,
  container: ApiContainerStatus,
  circumstances: Circumstances,
): PodProblem[] {
  const { state, restartCount = 0 } = container;
  const waiting = state?.waiting;
  const reason = waiting?.reason ?? '';
  const about = { container: container.name, lines: null, mayWaitForOthers: false };
  if (FINAL_REASONS.includes(reason))
    return [{ ...about, code: reason, message: imageMessage(container, waiting?.message), lasting: true }];
  if (IMAGE_REASONS.includes(reason)) return [imageProblem(pod, container, circumstances)];
  if (CONFIGURATION_REASONS.includes(reason)) {
    const since = failingSince(pod, container, circumstances, ({ message }) => !isPull(message));
    return [
      {
        ...about,
        code: reason,
        message: `The container ${container.name} cannot be made: ${waiting?.message ?? reason}`,
        lasting: hasLasted(since, circumstances.now, PATIENCE.configurationMs),
      },
    ];
  }
  const ended =
    state?.terminated ?? (reason === 'CrashLoopBackOff' ? container.lastState?.terminated : undefined);
  if (ended === undefined || (ended.exitCode === 0 && reason !== 'CrashLoopBackOff')) return [];
  const times =
    restartCount === 0
      ? ''
      : `, and was started again ${restartCount} ${restartCount === 1 ? 'time' : 'times'}`;
  return [
    {
      code: isOutOfMemory(container) ? 'OOMKilled' : 'CrashLoopBackOff',
      message: `The container ${container.name} ${describeEnd(ended)}${times}`,
      lasting: restartCount >= PATIENCE.restarts,
      mayWaitForOthers: restartCount < PATIENCE.restartsBesideOthers,
      container: container.name,
      lines: state?.terminated === undefined ? 'previous' : 'current',
    },
  ];
}

function imageProblem(pod: ApiPod, container: ApiContainerStatus, circumstances: Circumstances): PodProblem {
  const { reason = 'ImagePullBackOff', message } = container.state?.waiting ?? {};
  const pulls = eventsOf(container, circumstances, (event) => isPull(event.message));
  const said = pulls.toSorted((a, b) => Number(sightingOf(b).lastAt) - Number(sightingOf(a).lastAt))[0]
    ?.message;
  const because = said ?? message;
  const failures = pulls.reduce((sum, event) => sum + sightingOf(event).count, 0);
  const since = failingSince(pod, container, circumstances, (event) => isPull(event.message));
  // The first failure may still be that of a registry which has only just been started.
  const isFinal = reason === 'ImagePullBackOff' && FINAL_REFUSALS.test(`${because ?? ''} ${message ?? ''}`);
  return {
    code: 'ImagePullBackOff',
    message: imageMessage(container, because),
    lasting:
      isFinal || failures >= PATIENCE.restarts || hasLasted(since, circumstances.now, PATIENCE.imageMs),
    mayWaitForOthers: false,
    container: container.name,
    lines: null,
  };
}

const imageMessage = ({ name, image }: ApiContainerStatus, because: string | undefined): string =>
  `The image ${image} of the container ${name} cannot be had${because === undefined ? '' : `: ${because}`}`;

/** Volumes and the pod's network: the pod's own status says nothing but that it is being made. */
function startProblems(
  { status }: ApiPod,
  containers: readonly ApiContainerStatus[],
  { events, now }: Circumstances,
): PodProblem[] {
  const isStarting =
    status?.phase === 'Pending' &&
    containers.every(({ state }) => STARTING_REASONS.includes(state?.waiting?.reason ?? 'ContainerCreating'));
  if (!isStarting) return [];
  return events
    .filter(({ reason }) => STARTING_EVENTS.includes(reason ?? ''))
    .map((event) => {
      const { firstAt } = sightingOf(event);
      const what = VOLUME_EVENTS.includes(event.reason ?? '') ? 'A volume' : 'Its network';
      return {
        code: event.reason ?? 'FailedMount',
        message: `${what} cannot be set up: ${event.message ?? 'no reason given'}`,
        lasting: hasLasted(firstAt, now, PATIENCE.volumeMs),
        mayWaitForOthers: false,
        container: null,
        lines: null,
      };
    });
}

/** It runs, and is not ready: a slow start looks the same, so that only the end of all patience tells them apart. */
function probeProblems({ events, now }: Circumstances): PodProblem[] {
  return events
    .filter(
      (event) => event.reason === 'Unhealthy' && !hasLasted(sightingOf(event).lastAt, now, PROBE_AGE_MS),
    )
    .map((event) => ({
      code: 'Unhealthy',
      message: `It runs, and is not ready: ${event.message ?? 'a probe fails'}`,
      lasting: false,
      mayWaitForOthers: false,
      container: containerIn(event),
      lines: null,
    }));
}

/** Since when a container cannot be started, by the kubelet's events; by the pod's age where they are gone. */
function failingSince(
  { status }: ApiPod,
  container: ApiContainerStatus,
  circumstances: Circumstances,
  matches: (event: ApiEvent) => boolean,
): Date | null {
  const times = eventsOf(container, circumstances, matches).map((event) =>
    sightingOf(event).firstAt.getTime(),
  );
  return times.length === 0 ? dateOf(status?.startTime) : new Date(Math.min(...times));
}

const eventsOf = (
  { name }: ApiContainerStatus,
  { events }: Circumstances,
  matches: (event: ApiEvent) => boolean,
): ApiEvent[] =>
  events.filter((event) => event.reason === 'Failed' && containerIn(event) === name && matches(event));

const containerIn = ({ involvedObject }: ApiEvent): string | null =>
  /\{(.+)\}$/.exec(involvedObject.fieldPath ?? '')?.[1] ?? null;

const isPull = (message: string | undefined): boolean => message?.startsWith('Failed to pull image') === true;

const isOutOfMemory = (container: ApiContainerStatus | undefined): boolean =>
  [container?.state, container?.lastState].some((state) => state?.terminated?.reason === 'OOMKilled');

function describeEnd({ exitCode, signal, reason, message }: TerminatedState): string {
  if (reason === 'OOMKilled') return 'needs more memory than its limit and was killed';
  const how = signal === undefined || signal === 0 ? `with exit code ${exitCode}` : `by signal ${signal}`;
  const because = message === undefined || message === '' ? '' : `: ${message.trim()}`;
  return `has ended ${how}${because}`;
}
