import type { ReleaseName } from '#core/services/helm-releases';
import type { ReleaseHealth, WorkloadProblem, WorkloadState } from '#core/services/service-objects';
import { type ApiEvent, listEvents } from './api-events.ts';
import type { ApiObject } from './api-object.ts';
import type { ApiSession } from './api-session.ts';
import { presentReplicaSet, podsOf } from './current-pods.ts';
import { controllerProblems } from './controller-problems.ts';
import { KNOWN_KINDS } from './known-kinds.ts';
import { type Located, listPathOf, locate } from './locate.ts';
import { readManifest } from './manifest.ts';
import { operatorStates, operatorWorkloads } from './operator-health.ts';
import { type PodProblem, podProblems } from './pod-problems.ts';
import { readPodLines } from './pod-lines.ts';
import { stuckRollout } from './stuck-rollout.ts';
import { progressOf } from './workload-state.ts';
import {
  type ApiClaim,
  type ApiPod,
  type ApiReplicaSet,
  type WorkloadKind,
  isObserved,
  removesItself,
  workloadKindOf,
} from './workloads.ts';

const LAST_LINES = 20;
/** Containers whose lines are read in one go: many pods mostly fail for one reason. */
const MAX_CONTAINERS_READ = 5;

/** A workload of the release, and how far it is. */
interface Workload {
  kind: WorkloadKind;
  live: ApiObject | undefined;
  state: WorkloadState;
}

/** What is there beside the workloads in a namespace. */
interface Surroundings {
  pods: readonly ApiPod[];
  replicaSets: readonly ApiReplicaSet[];
  claims: readonly ApiClaim[];
  warnings: readonly ApiEvent[];
}

/** A problem, and where the last lines of its container are. */
interface Found {
  problem: WorkloadProblem;
  /** As of the pod's problem. */
  mayWaitForOthers: boolean;
  source: { pod: ApiPod; container: string; previous: boolean } | null;
}

/**
 * How the workloads of a release are, and what keeps those from becoming ready that are not. Nothing more is asked for
 * where all are ready, so that a service can be watched at short intervals.
 * @throws ApiRefusal, ManifestUnreadable
 */
export async function readHealth(
  api: ApiSession,
  release: ReleaseName,
  manifest: string,
): Promise<ReleaseHealth> {
  const targets = readManifest(manifest).map((object) => locate(object, release, KNOWN_KINDS));
  const [own, made] = await Promise.all([
    Promise.all(targets.flatMap((target) => readWorkload(api, target) ?? [])),
    operatorWorkloads(api, targets),
  ]);
  const workloads: Workload[] = [...own, ...made];
  // Asked for last: there may be a hundred of them, and nothing is ready before the workloads are.
  const isRunning = workloads.every(({ state }) => state.ready);
  const said = isRunning ? await operatorStates(api, targets) : [];
  const unready = workloads.filter(({ state, live }) => !state.ready && live !== undefined);
  const namespaces = [...new Set(unready.map(({ state }) => state.object.namespace ?? release.namespace))];
  const surroundings = new Map(
    await Promise.all(
      namespaces.map(async (namespace) => [namespace, await readSurroundings(api, namespace)] as const),
    ),
  );
  const found = unready.flatMap((workload) => {
    const around = surroundings.get(workload.state.object.namespace ?? release.namespace);
    return around === undefined ? [] : problemsOf(workload, around, api.now);
  });
  return {
    workloads: [...workloads.map(({ state }) => state), ...said],
    problems: await withLastLines(api, withPatience(unready, found)),
  };
}

/** What ends again and again may only lack what is still starting, as a program does without its database. */
function withPatience(unready: readonly Workload[], found: readonly Found[]): Found[] {
  const isStarting = ({ state }: Workload): boolean =>
    !found.some(({ problem }) => problem.lasting && problem.object === state.object);
  const starting = unready.filter(isStarting);
  return found.map((one) =>
    one.mayWaitForOthers && starting.length > 0
      ? { ...one, problem: { ...one.problem, lasting: false } }
      : one,
  );
}

/** @returns undefined where the object is no workload */
function readWorkload(api: ApiSession, { object, ref, path }: Located): Promise<Workload> | undefined {
  const kind = workloadKindOf(object);
  if (kind === null || path === null) return undefined;
  const read = async (): Promise<Workload> => {
    const live = await api.get<ApiObject>(path);
    if (live === undefined && removesItself(object))
      return { kind, live, state: { object: ref, ready: true, detail: 'It has ended and was removed' } };
    const bindsLate =
      kind === 'PersistentVolumeClaim' && live !== undefined && (await waitsForPod(api, live as ApiClaim));
    return { kind, live, state: { object: ref, ...progressOf(kind, live, bindsLate) } };
  };
  return read();
}

async function waitsForPod(api: ApiSession, { spec, status }: ApiClaim): Promise<boolean> {
  const name = spec.storageClassName ?? '';
  if (status?.phase !== 'Pending' || name === '') return false;
  const path = `/apis/storage.k8s.io/v1/storageclasses/${encodeURIComponent(name)}`;
  return (await api.get<{ volumeBindingMode?: string }>(path))?.volumeBindingMode === 'WaitForFirstConsumer';
}

async function readSurroundings(api: ApiSession, namespace: string): Promise<Surroundings> {
  const [pods, replicaSets, claims, warnings, unbound] = await Promise.all([
    api.list<ApiPod>(listPathOf('v1', 'pods', namespace)),
    api.list<ApiReplicaSet>(listPathOf('apps/v1', 'replicasets', namespace)),
    api.list<ApiClaim>(listPathOf('v1', 'persistentvolumeclaims', namespace)),
    listEvents(api, namespace, 'type=Warning'),
    // No warning, though the claim gets no volume as long as nobody does something: pkg/controller/volume/persistentvolume.
    listEvents(api, namespace, 'reason=FailedBinding'),
  ]);
  return { pods, replicaSets, claims, warnings: [...warnings, ...unbound] };
}

function problemsOf({ kind, live, state }: Workload, around: Surroundings, now: Date): Found[] {
  const status = live?.status as { observedGeneration?: number } | undefined;
  const reportsGeneration = kind !== 'Job' && kind !== 'Pod' && kind !== 'PersistentVolumeClaim';
  // What is wrong with the revision before is what the change may be meant to mend.
  if (live === undefined || (reportsGeneration && !isObserved(live.metadata, status))) return [];
  const { current, old } = podsOf(kind, live, around.pods, around.replicaSets);
  const eventsAbout = (object: ApiObject): ApiEvent[] =>
    around.warnings.filter(({ involvedObject }) => involvedObject.uid === object.metadata.uid);
  const own = controllerProblems(kind, live, {
    replicaSet: kind === 'Deployment' ? presentReplicaSet(live, around.replicaSets) : undefined,
    events: eventsAbout(live),
    now,
  });
  const claims = claimsOf(current, around.claims).flatMap((claim) =>
    controllerProblems('PersistentVolumeClaim', claim, {
      replicaSet: undefined,
      events: eventsAbout(claim),
      now,
    }).map((problem) => ({ ...problem, message: `The claim ${claim.metadata.name}: ${problem.message}` })),
  );
  const ofPods = current.flatMap((pod) =>
    podProblems(pod, { events: eventsAbout(pod), now }).map((problem) => ({ pod, problem })),
  );
  const isAlone = kind === 'Pod';
  return [
    ...[...own, ...claims, ...stuckRollout(kind, live, old, now)].map((problem): Found => ({
      problem: { ...problem, object: state.object, lastLines: [] },
      mayWaitForOthers: false,
      source: null,
    })),
    ...merged(ofPods).map(({ pod, problem, others }): Found => ({
      problem: {
        code: problem.code,
        message: `${isAlone ? '' : `Pod ${pod.metadata.name}: `}${problem.message}${alike(others)}`,
        object: state.object,
        // How often a job tries is its own affair.
        lasting: problem.lasting && !(kind === 'Job' && problem.lines !== null),
        lastLines: [],
      },
      mayWaitForOthers: problem.mayWaitForOthers,
      source:
        problem.lines === null || problem.container === null
          ? null
          : { pod, container: problem.container, previous: problem.lines === 'previous' },
    })),
  ];
}

/** Claims without a volume that pods without a node wait for: a stateful set's are in no manifest. */
function claimsOf(pods: readonly ApiPod[], claims: readonly ApiClaim[]): ApiClaim[] {
  const names = pods
    .filter(({ spec }) => spec.nodeName === undefined)
    .flatMap(({ spec }) => spec.volumes?.flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? []));
  return claims.filter(({ metadata, status }) => names.includes(metadata.name) && status?.phase !== 'Bound');
}

interface OfPod {
  pod: ApiPod;
  problem: PodProblem;
}

/** One problem for all replicas that have it; one that is lasting speaks for the others. */
function merged(found: readonly OfPod[]): (OfPod & { others: number })[] {
  const groups = Map.groupBy(found, ({ problem }) => `${problem.code}|${problem.container ?? ''}`);
  return [...groups.values()].flatMap((group) => {
    const speaker = group.find(({ problem }) => problem.lasting) ?? group[0];
    return speaker === undefined ? [] : [{ ...speaker, others: group.length - 1 }];
  });
}

const alike = (others: number): string =>
  others === 0 ? '' : ` (and ${others} other ${others === 1 ? 'pod' : 'pods'} alike)`;

async function withLastLines(api: ApiSession, found: readonly Found[]): Promise<WorkloadProblem[]> {
  const read = new Set(found.filter(({ source }) => source !== null).slice(0, MAX_CONTAINERS_READ));
  return Promise.all(
    found.map(async (one) => {
      const { problem, source } = one;
      if (source === null || !read.has(one)) return problem;
      const { name, namespace = '' } = source.pod.metadata;
      const { lines } = await readPodLines(api, {
        ...{ namespace, pod: name, container: source.container },
        ...{ previous: source.previous, lines: LAST_LINES },
      });
      return { ...problem, lastLines: lines };
    }),
  );
}
