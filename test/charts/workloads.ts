import type { RenderedObject } from './render.ts';

export interface EnvironmentVariable {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef: { name: string; key: string } };
}

export interface Container {
  name: string;
  image: string;
  args?: string[];
  command?: string[];
  env?: EnvironmentVariable[];
  lifecycle?: { preStop: { sleep: { seconds: number } } };
  readinessProbe?: object;
  startupProbe?: object;
  resources: { requests: Record<string, string>; limits: Record<string, string> };
  securityContext: {
    runAsUser?: number;
    runAsNonRoot?: boolean;
    allowPrivilegeEscalation: boolean;
    readOnlyRootFilesystem: boolean;
    capabilities: { drop: string[]; add?: string[] };
  };
  volumeMounts?: { name: string; mountPath: string; subPath?: string; readOnly?: boolean }[];
}

export interface Pod {
  containers: Container[];
  initContainers?: Container[];
  volumes?: { name: string }[];
  serviceAccountName?: string;
  automountServiceAccountToken: boolean;
  terminationGracePeriodSeconds?: number;
  securityContext: {
    runAsUser: number;
    runAsGroup: number;
    runAsNonRoot?: boolean;
    fsGroup?: number;
    seccompProfile: { type: string };
  };
}

export interface Workload {
  kind: string;
  name: string;
  /** Of its pods. */
  labels: Record<string, string>;
  pod: Pod;
}

interface PodTemplate {
  template: { metadata: { labels: Record<string, string> }; spec: Pod };
}

/** What makes pods, and the pods that stand alone. */
export function workloadsOf(objects: readonly RenderedObject[]): Workload[] {
  return objects.flatMap((object): Workload[] => {
    const { kind, metadata } = object;
    if (kind === 'Pod')
      return [{ kind, name: metadata.name, labels: metadata.labels ?? {}, pod: object.spec as Pod }];
    if (kind !== 'Deployment' && kind !== 'StatefulSet') return [];
    const { template } = object.spec as PodTemplate;
    return [{ kind, name: metadata.name, labels: template.metadata.labels, pod: template.spec }];
  });
}

/** @throws Error where there is none of that name */
export function workload(objects: readonly RenderedObject[], name: string): Workload {
  const found = workloadsOf(objects).find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`There is no ${name}`);
  return found;
}

export const containersOf = ({ pod }: Workload): Container[] => [
  ...(pod.initContainers ?? []),
  ...pod.containers,
];

/** @throws Error where there is none of that name */
export function container(from: Workload, name: string): Container {
  const found = containersOf(from).find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`${from.name} has no container ${name}`);
  return found;
}

/** The environment of a container, with `secrets` ("name/key") in the place of what stands in Secrets. */
export function environmentOf(
  { env = [] }: Container,
  secrets: Record<string, string>,
): Record<string, string> {
  return Object.fromEntries(
    env.map(({ name, value, valueFrom }) => {
      if (valueFrom === undefined) return [name, value ?? ''];
      const { name: secret, key } = valueFrom.secretKeyRef;
      const content = secrets[`${secret}/${key}`];
      if (content === undefined) throw new Error(`${name} comes from ${secret}/${key}, which nobody makes`);
      return [name, content];
    }),
  );
}
