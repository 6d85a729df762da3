import { type Present, present, type Unknown, unknown } from '#core/vocabulary/answer';
import { ApiRefusal } from '#infra/kubernetes/services/api-refusal';
import { type ApiServerOptions, type ApiSession, askApiServer } from '#infra/kubernetes/services/api-session';

/** Which container commands are run in. */
export interface LoginPodOptions {
  namespace: string;
  /** `pod` goes before `selector`, by which any running pod is as good as another. */
  pod?: string;
  selector: string;
  container: string;
}

interface ContainerStatus {
  name: string;
  restartCount?: number;
  state?: {
    running?: object;
    waiting?: { reason?: string };
    terminated?: { reason?: string; exitCode?: number };
  };
}

interface Pod {
  metadata: { name: string; deletionTimestamp?: string };
  spec: { containers: { name: string }[] };
  status?: { phase?: string; containerStatuses?: ContainerStatus[] };
}

/** @returns the name of a pod whose container runs; else what is in the way, in words for an admin */
export async function findLoginPod(
  server: ApiServerOptions,
  options: LoginPodOptions,
): Promise<Present<string> | Unknown> {
  const answer = await askApiServer(server, (api) => pods(api, options));
  if (answer.kind === 'absent') throw new Error('the API server was asked for a list');
  if (answer.kind === 'unknown') return answer;
  if (typeof answer.value === 'string') return unknown(answer.value);
  const [first, ...others] = answer.value.map((pod) => look(pod, options));
  if (first === undefined) {
    return unknown(
      `no pod of the namespace ${options.namespace} has the labels ${options.selector}: does Slurm run there, and are ` +
        'SLURM_EXEC_NAMESPACE and SLURM_EXEC_SELECTOR right?',
    );
  }
  const usable = [first, ...others].find(({ problem }) => problem === undefined) ?? first;
  return usable.problem === undefined ? present(usable.name) : unknown(usable.problem);
}

/** @returns a text where the server refuses, or has no such pod */
async function pods(api: ApiSession, { namespace, pod, selector }: LoginPodOptions): Promise<Pod[] | string> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  try {
    if (pod === undefined) return await api.list<Pod>(path, { query: { labelSelector: selector } });
    const named = await api.get<Pod>(`${path}/${encodeURIComponent(pod)}`);
    if (named !== undefined) return [named];
    return `there is no pod ${pod} in the namespace ${namespace}: are SLURM_EXEC_POD and SLURM_EXEC_NAMESPACE right?`;
  } catch (error) {
    if (!(error instanceof ApiRefusal) || error.code !== 403) throw error;
    return (
      `the API server does not let Bramble ${pod === undefined ? 'list' : 'get'} pods in the namespace ${namespace} (403). ` +
      rightsNeeded(namespace)
    );
  }
}

/** What an admin has to allow, in a sentence. */
export const rightsNeeded = (namespace: string): string =>
  `Bind a role there that may get and list pods, and get and create pods/exec: the value kubernetes.slurmNamespace=${namespace} ` +
  "of Bramble's chart does.";

function look(
  { metadata: { name, deletionTimestamp }, spec, status }: Pod,
  { container }: LoginPodOptions,
): { name: string; problem?: string } {
  const containers = spec.containers.map((each) => each.name);
  if (!containers.includes(container)) {
    return {
      name,
      problem: `the pod ${name} has no container ${container}, but ${containers.join(', ')}: is SLURM_EXEC_CONTAINER right?`,
    };
  }
  if (deletionTimestamp !== undefined) return { name, problem: `the pod ${name} is being deleted` };
  const about = status?.containerStatuses?.find((each) => each.name === container);
  if (about?.state?.running !== undefined) return { name };
  return {
    name,
    problem: `the container ${container} of the pod ${name} does not run: ${whyNot(about, status?.phase)}`,
  };
}

function whyNot({ state, restartCount = 0 }: Partial<ContainerStatus> = {}, phase = 'Pending'): string {
  const ended = state?.terminated;
  const reason =
    state?.waiting?.reason ??
    (ended === undefined
      ? `the pod is ${phase}`
      : `${ended.reason ?? 'ended'} (exit code ${ended.exitCode ?? 0})`);
  return restartCount === 0 ? reason : `${reason}, restarted ${restartCount} times`;
}
