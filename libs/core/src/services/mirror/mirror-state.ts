import { type IndexRange, readIndexes } from './job-indexes.ts';
import { REFERENCES_ANNOTATION } from './mirror-job.ts';

/** How far a mirroring is. */
export interface MirrorState {
  phase: 'running' | 'done' | 'failed';
  /** How many images it is about. */
  total: number;
  /** References that the registry has now. */
  copied: string[];
  /** Images that are given up, with skopeo's words where they are known. */
  failed: { reference: string; because: string }[];
  /** What keeps the others waiting, or why all of it has ended; null where nothing is wrong. */
  because: string | null;
}

/** What is read of a Job, as the API server tells it. */
export interface ApiJob {
  metadata: { annotations?: Readonly<Record<string, string>> };
  status?: {
    completedIndexes?: string;
    failedIndexes?: string;
    conditions?: readonly { type: string; status: string; reason?: string; message?: string }[];
  };
}

/** What is read of a Job's pods. */
export interface ApiJobPod {
  metadata: { annotations?: Readonly<Record<string, string>>; creationTimestamp?: string };
  status?: {
    phase?: string;
    message?: string;
    conditions?: readonly { type: string; status: string; reason?: string; message?: string }[];
    containerStatuses?: readonly {
      state?: {
        waiting?: { reason?: string; message?: string };
        terminated?: { exitCode: number; reason?: string; message?: string };
      };
    }[];
  };
}

const INDEX_ANNOTATION = 'batch.kubernetes.io/job-completion-index';
/** Reasons of a container that waits for nothing but its turn. */
const USUAL_WAITING = new Set(['ContainerCreating', 'PodInitializing']);
const LONGEST_REASON = 1_000;

/** Reads progress and end of a mirroring from its Job; its pods tell why something fails. */
export function readMirrorState(job: ApiJob, pods: readonly ApiJobPod[]): MirrorState {
  const references = (job.metadata.annotations?.[REFERENCES_ANNOTATION] ?? '').split('\n');
  const { completedIndexes = '', failedIndexes = '', conditions = [] } = job.status ?? {};
  const referencesOf = (ranges: readonly IndexRange[]) =>
    ranges.flatMap(({ from, to }) =>
      references.slice(from, to + 1).map((reference, offset) => ({ reference, index: from + offset })),
    );
  const holds = (type: string) =>
    conditions.find((condition) => condition.type === type && condition.status === 'True');
  const failure = holds('Failed');
  return {
    phase: failure !== undefined ? 'failed' : holds('Complete') === undefined ? 'running' : 'done',
    total: references.length,
    copied: referencesOf(readIndexes(completedIndexes)).map(({ reference }) => reference),
    failed: referencesOf(readIndexes(failedIndexes)).map(({ reference, index }) => ({
      reference,
      because: whyFailed(newestPod(pods, index)),
    })),
    because:
      failure === undefined
        ? (pods.map(whatHolds).find((reason) => reason !== undefined) ?? null)
        : (failure.message ?? failure.reason ?? 'The Job has failed.'),
  };
}

function newestPod(pods: readonly ApiJobPod[], index: number): ApiJobPod | undefined {
  return pods
    .filter(({ metadata }) => metadata.annotations?.[INDEX_ANNOTATION] === String(index))
    .sort(({ metadata: a }, { metadata: b }) =>
      (b.creationTimestamp ?? '').localeCompare(a.creationTimestamp ?? ''),
    )[0];
}

function whyFailed(pod: ApiJobPod | undefined): string {
  const ended = pod?.status?.containerStatuses?.[0]?.state?.terminated;
  const said = ended?.message?.trim() ?? pod?.status?.message?.trim() ?? '';
  if (said !== '') return lastWords(said).slice(0, LONGEST_REASON);
  if (ended === undefined) return 'Its pod is gone, and with it the reason.';
  return `It ended with ${ended.exitCode} (${ended.reason ?? 'no reason given'}), and has written nothing.`;
}

/** skopeo ends with a line such as `time="…" level=fatal msg="manifest unknown"`. */
function lastWords(written: string): string {
  const line = written.slice(written.lastIndexOf('\n') + 1);
  const quoted = / msg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
  return quoted === undefined ? line : quoted.replace(/\\(.)/g, '$1');
}

/** Why a pod does not get on that has not ended. */
function whatHolds({ status }: ApiJobPod): string | undefined {
  if (status?.phase !== 'Pending') return undefined;
  const waiting = status.containerStatuses?.[0]?.state?.waiting;
  if (waiting?.reason !== undefined && !USUAL_WAITING.has(waiting.reason))
    return `${waiting.reason}: ${waiting.message ?? 'no more is said'}`;
  const placed = status.conditions?.find(({ type }) => type === 'PodScheduled');
  if (placed?.status === 'False') return `${placed.reason ?? 'Unschedulable'}: ${placed.message ?? ''}`;
  return undefined;
}
