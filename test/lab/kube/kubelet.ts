import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from '../waiting.ts';
import type { KubeApi } from './kube-api.ts';
import type { KubePaths } from './kube-directory.ts';
import { PATIENCE_MS } from '../../patience.ts';

/** A container of a pod of the lab, whether the pod is there yet or not. Its namespace has to be there. */
export interface LabContainer {
  namespace: string;
  pod: string;
  container: string;
}

const GROUP = 'kwok.x-k8s.io';
const VERSION = 'v1alpha1';
const KIND = 'Logs';
const PLURAL = 'logs';
const ESTABLISHED_WITHIN_MS = PATIENCE_MS;

/** The value of kwok's `--enable-crds`: what it is told about pods while it runs. */
export const KUBELET_KINDS = KIND;

/** kwok gives up for seconds where its kinds are not there yet when it starts. */
export async function registerKubeletKinds(api: KubeApi): Promise<void> {
  await api.create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', DEFINITION);
  await waitUntil(
    `${PLURAL}.${GROUP} to be served`,
    async () => (await api.ask('GET', `/apis/${GROUP}/${VERSION}/${PLURAL}`)).status === 200,
    { timeoutMs: ESTABLISHED_WITHIN_MS, intervalMs: 50 },
  );
}

export async function printLines(
  api: KubeApi,
  paths: KubePaths,
  { namespace, pod, container }: LabContainer,
  lines: readonly string[],
  { previous = false }: { previous?: boolean } = {},
): Promise<void> {
  const directory = join(paths.lab.logs, 'pods', namespace, pod);
  const fileOf = (of: string, which: string): string => join(directory, `${of}.${which}.log`);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  // As containerd writes them: pkg/kubelet/kuberuntime/logs.
  const printed = lines.map((line) => `${new Date().toISOString()} stdout F ${line}\n`).join('');
  for (const which of ['current', 'previous'])
    appendFileSync(fileOf(container, which), (which === 'previous') === previous ? printed : '');
  const object = {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: KIND,
    metadata: { name: pod, namespace },
    spec: { logs: [logOf(container, fileOf)] },
  };
  const path = `${objectsIn(namespace)}/${pod}`;
  const { status, body } = await api.ask('GET', path);
  if (status === 404) return api.create(objectsIn(namespace), object);
  const { logs } = (body as typeof object).spec;
  if (logs.some(({ containers }) => containers.includes(container))) return;
  await api.patch(path, { spec: { logs: [...logs, logOf(container, fileOf)] } });
}

const logOf = (container: string, fileOf: (of: string, which: string) => string) => ({
  containers: [container],
  logsFile: fileOf(container, 'current'),
  previousLogsFile: fileOf(container, 'previous'),
});

const objectsIn = (namespace: string): string =>
  `/apis/${GROUP}/${VERSION}/namespaces/${namespace}/${PLURAL}`;

/** kwok's own definition says what is in it as well; here the one who writes it and kwok have to know. */
const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: `${PLURAL}.${GROUP}`,
    // The group belongs to Kubernetes, which wants to know who has approved of it.
    annotations: { 'api-approved.kubernetes.io': 'unapproved, for tests' },
  },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { kind: KIND, listKind: `${KIND}List`, plural: PLURAL, singular: KIND.toLowerCase() },
    versions: [
      {
        name: VERSION,
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};
