import type { ApiObject } from './api-object.ts';
import { conditionOf } from './api-object.ts';
import type { ControllerProblem } from './controller-problems.ts';
import { PATIENCE, dateOf, hasLasted } from './patience.ts';
import type { ApiPod, ApiStatefulSet, WorkloadKind } from './workloads.ts';

/**
 * Pods of an older revision that a stateful set waits for, although they will never be ready: it replaces its pods in
 * order, and only from a state in which all are ready. Not even going back to the revision before helps.
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
 */
export function stuckPods(kind: WorkloadKind, live: ApiObject, old: readonly ApiPod[]): ApiPod[] {
  const { spec } = live as ApiStatefulSet;
  if (kind !== 'StatefulSet' || spec.podManagementPolicy === 'Parallel') return [];
  if (spec.updateStrategy?.type === 'OnDelete') return [];
  return old.filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined && conditionOf(status?.conditions, 'Ready')?.status !== 'True',
  );
}

export function stuckRollout(
  kind: WorkloadKind,
  live: ApiObject,
  old: readonly ApiPod[],
  now: Date,
): ControllerProblem[] {
  return stuckPods(kind, live, old).map(({ metadata }) => ({
    code: 'StuckRollout',
    message:
      `Pod ${metadata.name} is of the revision before and not ready, and a stateful set waits for it before it ` +
      'replaces it: delete the pod',
    lasting: hasLasted(dateOf(metadata.creationTimestamp), now, PATIENCE.creationMs),
  }));
}
