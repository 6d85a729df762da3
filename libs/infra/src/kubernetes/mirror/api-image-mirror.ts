import type { ObservedImage } from '#core/services/mirror/cluster-image';
import type { ImageMirror, MirrorStart } from '#core/services/mirror/image-mirror';
import { mirrorJob, mirrorSources } from '#core/services/mirror/mirror-job';
import type { MirrorPlan } from '#core/services/mirror/mirror-plan';
import {
  type ApiJob,
  type ApiJobPod,
  type MirrorState,
  readMirrorState,
} from '#core/services/mirror/mirror-state';
import { absent, type Answer, present } from '#core/vocabulary/answer';
import { readImages } from '../access/api-cluster-view.ts';
import { ApiRefusal, readStatus } from '../services/api-refusal.ts';
import { type ApiServerOptions, type ApiSession, askApiServer } from '../services/api-session.ts';
import { isMissingRight } from '../services/missing-right.ts';

interface JobName {
  name: string;
  namespace: string;
}

const jobsOf = (namespace: string) => `/apis/batch/v1/namespaces/${encodeURIComponent(namespace)}/jobs`;
const jobPath = ({ name, namespace }: JobName) => `${jobsOf(namespace)}/${encodeURIComponent(name)}`;
const configMapsOf = (namespace: string) => `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`;
const configMapPath = ({ name, namespace }: JobName) =>
  `${configMapsOf(namespace)}/${encodeURIComponent(name)}`;
const podsOf = (namespace: string) => `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;

/** Mirroring by a Job, by way of Kubernetes' API. */
export class ApiImageMirror implements ImageMirror {
  readonly #options: ApiServerOptions;

  constructor(options: ApiServerOptions) {
    this.#options = options;
  }

  images(): Promise<Answer<ObservedImage[]>> {
    return readImages(this.#options);
  }

  async start(plan: MirrorPlan): Promise<MirrorStart> {
    const answer = await askApiServer(this.#options, (api) => startJob(api, plan));
    if (answer.kind === 'absent') throw new Error('a start cannot be absent');
    return answer.kind === 'present' ? answer.value : answer;
  }

  async state(job: JobName): Promise<Answer<MirrorState>> {
    const answer = await askApiServer(this.#options, async (api) => {
      const found = await api.get<ApiJob>(jobPath(job));
      if (found === undefined) return undefined;
      const pods = await api.list<ApiJobPod>(podsOf(job.namespace), {
        query: { labelSelector: `batch.kubernetes.io/job-name=${job.name}` },
      });
      return readMirrorState(found, pods);
    });
    if (answer.kind !== 'present') return answer;
    return answer.value === undefined ? absent : present(answer.value);
  }

  stop(job: JobName): Promise<Answer<true>> {
    return askApiServer(this.#options, async (api) => {
      // The default of Jobs would leave their pods.
      const deletion = { method: 'DELETE', query: { propagationPolicy: 'Background' } } as const;
      for (const path of [jobPath(job), configMapPath(job)]) {
        const { status, text } = await api.call(path, deletion);
        if (status >= 300 && status !== 404) throw new ApiRefusal('DELETE', path, { status, text });
      }
      return true as const;
    });
  }
}

/** The Job's pods mount the ConfigMap, so it comes first; the Job owns it, so both go together. */
async function startJob(api: ApiSession, plan: MirrorPlan): Promise<MirrorStart> {
  const refusal =
    (await create(api, configMapsOf(plan.namespace), mirrorSources(plan))) ??
    (await create(api, jobsOf(plan.namespace), mirrorJob(plan)));
  if (refusal !== undefined) return { kind: 'refused', message: refusal };
  const job = await api.get<{ metadata: { uid: string } }>(jobPath(plan));
  if (job === undefined) return { kind: 'refused', message: `Somebody has removed the Job ${plan.name}.` };
  const { uid } = job.metadata;
  const path = configMapPath(plan);
  const { status, text } = await api.call(path, {
    method: 'PATCH',
    contentType: 'application/merge-patch+json',
    body: {
      metadata: { ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: plan.name, uid }] },
    },
  });
  if (status >= 300) throw new ApiRefusal('PATCH', path, { status, text });
  return { kind: 'started' };
}

/** @returns what the API server says where it would say so again; undefined where it is made, or there already */
async function create(api: ApiSession, path: string, body: object): Promise<string | undefined> {
  const { status, text } = await api.call(path, { method: 'POST', body });
  if (status < 300 || status === 409) return undefined;
  const refusal = new ApiRefusal('POST', path, { status, text });
  if ((status === 403 && !isMissingRight(refusal)) || status === 404 || status === 422)
    return readStatus(text).message;
  throw refusal;
}
