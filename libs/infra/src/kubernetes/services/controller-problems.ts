import { type ApiObject, conditionOf } from './api-object.ts';
import { type ApiEvent, sightingOf } from './api-events.ts';
import { PATIENCE, dateOf, hasLasted } from './patience.ts';
import {
  type ApiClaim,
  type ApiDeployment,
  type ApiJob,
  type ApiReplicaSet,
  type WorkloadKind,
  isObserved,
} from './workloads.ts';

/** What keeps a workload from becoming ready, apart from its pods. */
export interface ControllerProblem {
  code: string;
  message: string;
  lasting: boolean;
}

interface Circumstances {
  /** Of a deployment: that of its present revision. */
  replicaSet: ApiReplicaSet | undefined;
  /** Warnings about the workload. */
  events: readonly ApiEvent[];
  now: Date;
}

const CLAIM_EVENTS: readonly string[] = ['ProvisioningFailed', 'FailedBinding'];

/** Problems that a workload's controller tells of. */
export function controllerProblems(
  kind: WorkloadKind,
  live: ApiObject,
  circumstances: Circumstances,
): ControllerProblem[] {
  switch (kind) {
    case 'Deployment':
      return deploymentProblems(live as ApiDeployment, circumstances);
    case 'ReplicaSet':
      return creationFailure(live as ApiReplicaSet, circumstances);
    case 'StatefulSet':
    case 'DaemonSet':
      return creationEvents(live, circumstances);
    case 'Job':
      return jobProblems(live as ApiJob, circumstances);
    case 'PersistentVolumeClaim':
      return claimProblems(live as ApiClaim, circumstances);
    case 'Pod':
      return [];
  }
}

function deploymentProblems(
  { metadata, status }: ApiDeployment,
  circumstances: Circumstances,
): ControllerProblem[] {
  if (!isObserved(metadata, status)) return [];
  const progressing = conditionOf(status?.conditions, 'Progressing');
  const failure =
    circumstances.replicaSet === undefined ? [] : creationFailure(circumstances.replicaSet, circumstances);
  if (progressing?.reason !== 'ProgressDeadlineExceeded') return failure;
  return [
    {
      code: 'ProgressDeadlineExceeded',
      message: `It has made no progress for too long: ${progressing.message ?? 'no reason given'}`,
      lasting: true,
    },
    ...failure,
  ];
}

function creationFailure({ status }: ApiReplicaSet, { now }: Circumstances): ControllerProblem[] {
  const failure = conditionOf(status?.conditions, 'ReplicaFailure');
  if (failure?.status !== 'True' || failure.reason !== 'FailedCreate') return [];
  return [failedCreate(failure.message, dateOf(failure.lastTransitionTime), now)];
}

/** They tell nothing in their status. An event may be of the time before the last change, and is over then. */
function creationEvents(live: ApiObject, { events, now }: Circumstances): ControllerProblem[] {
  const changedAt = specChangedAt(live);
  const failures = events
    .filter(({ reason }) => reason === 'FailedCreate')
    .map((event) => ({ event, seen: sightingOf(event) }))
    .filter(({ seen }) => seen.lastAt >= changedAt)
    .sort((a, b) => Number(b.seen.lastAt) - Number(a.seen.lastAt));
  const [newest] = failures;
  if (newest === undefined) return [];
  const first = Math.min(...failures.map(({ seen }) => seen.firstAt.getTime()));
  return [failedCreate(newest.event.message, new Date(Math.max(first, changedAt.getTime())), now)];
}

function failedCreate(message: string | undefined, since: Date | null, now: Date): ControllerProblem {
  // A quota is freed, and a service account made; Pod Security does not change its mind.
  const isFinal = message?.includes('violates PodSecurity') === true;
  return {
    code: 'FailedCreate',
    message: `Its pods are refused: ${message ?? 'no reason given'}`,
    lasting: isFinal || hasLasted(since, now, PATIENCE.creationMs),
  };
}

function jobProblems(live: ApiJob, circumstances: Circumstances): ControllerProblem[] {
  const failed = conditionOf(live.status?.conditions, 'Failed');
  if (failed?.status !== 'True') return creationEvents(live, circumstances);
  const reason = failed.reason === undefined ? '' : ` (${failed.reason})`;
  return [
    {
      code: 'JobFailed',
      message: `It has failed${reason}: ${failed.message ?? 'no reason given'}`,
      lasting: true,
    },
  ];
}

function claimProblems({ status }: ApiClaim, { events, now }: Circumstances): ControllerProblem[] {
  if (status?.phase === 'Lost')
    return [{ code: 'ClaimLost', message: 'Its volume is gone, and what was on it', lasting: true }];
  if (status?.phase === 'Bound') return [];
  return events
    .filter(({ reason }) => CLAIM_EVENTS.includes(reason ?? ''))
    .map((event) => ({
      code: event.reason ?? 'ProvisioningFailed',
      message: `It gets no volume: ${event.message ?? 'no reason given'}`,
      lasting: hasLasted(sightingOf(event).firstAt, now, PATIENCE.volumeMs),
    }));
}

/** When what is asked for was written last; writes of a status do not count. */
function specChangedAt({ metadata }: ApiObject): Date {
  const times = (metadata.managedFields ?? [])
    .filter(({ subresource }) => subresource === undefined)
    .flatMap(({ time }) => dateOf(time)?.getTime() ?? []);
  return new Date(times.length === 0 ? (metadata.creationTimestamp ?? 0) : Math.max(...times));
}
