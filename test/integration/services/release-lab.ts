import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReleaseName } from '#core/services/helm-releases';
import type { Answer } from '#core/vocabulary/answer';
import { ApiServiceObjects } from '#infra/kubernetes/services/api-service-objects';
import type { KubeLab } from '../../lab/kube/kube-lab.ts';

/** An object of a chart. */
export type Fields = Readonly<Record<string, unknown>>;

interface PodList {
  items: { metadata: { name: string; uid: string }; status: { phase?: string } }[];
}

/** Charts of given objects on a real control plane, and what is asked about them. */
export class ReleaseLab {
  readonly lab: KubeLab;
  readonly objects: ApiServiceObjects;
  readonly #scratch = mkdtempSync(join(tmpdir(), 'bramble-releases-'));

  constructor(lab: KubeLab) {
    this.lab = lab;
    this.objects = this.as(lab.kubeconfig);
  }

  as(file: string, timeoutMs = 60_000): ApiServiceObjects {
    return new ApiServiceObjects({ access: { kind: 'kubeconfig', file }, timeoutMs });
  }

  /** @returns the path of a new file for the owner alone */
  file(name: string, content: string): string {
    const file = join(this.#scratch, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  }

  dispose(): void {
    rmSync(this.#scratch, { recursive: true, force: true });
  }

  /**
   * Installs or upgrades, and waits for nothing. Definitions of kinds are in the chart's directory `crds`.
   * @returns the manifest
   */
  async install({ name, namespace }: ReleaseName, ...objects: readonly Fields[]): Promise<string> {
    const chart = join(this.#scratch, name);
    rmSync(chart, { recursive: true, force: true });
    for (const part of ['templates', 'crds']) mkdirSync(join(chart, part), { recursive: true });
    writeFileSync(join(chart, 'Chart.yaml'), `apiVersion: v2\nname: ${name}\nversion: 0.1.0\n`);
    for (const [index, object] of objects.entries()) {
      const part = object.kind === 'CustomResourceDefinition' ? 'crds' : 'templates';
      writeFileSync(join(chart, part, `${index}.yaml`), JSON.stringify(object));
    }
    const where = [`--namespace=${namespace}`, '--create-namespace'];
    await this.#helm('upgrade', '--install', name, chart, ...where);
    return this.#helm('get', 'manifest', name, `--namespace=${namespace}`);
  }

  uninstall({ name, namespace }: ReleaseName): Promise<string> {
    return this.#helm('uninstall', name, `--namespace=${namespace}`);
  }

  /** The pods whose names begin so, once there are as many. */
  async pods(namespace: string, prefix: string, count = 1): Promise<PodList['items']> {
    for (let turn = 0; turn < 200; turn++) {
      const { items } = (await this.lab.api.get(`/api/v1/namespaces/${namespace}/pods`)) as PodList;
      const found = items.filter(({ metadata }) => metadata.name.startsWith(prefix));
      if (found.length >= count) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`There are no ${count} pods in ${namespace} that begin with ${prefix}`);
  }

  /** Writes a status as a kubelet would. */
  async writeStatus(path: string, status: Fields): Promise<void> {
    await this.lab.api.patch(`${path}/status`, { status });
  }

  /** Writes an event about a pod as a kubelet would. */
  async writeEvent(
    namespace: string,
    pod: { name: string; uid: string },
    about: {
      reason: string;
      message: string;
      container?: string;
      firstAt: Date;
      lastAt?: Date;
      count?: number;
    },
  ): Promise<void> {
    const { reason, message, container, firstAt, lastAt = firstAt, count = 1 } = about;
    await this.lab.api.create(`/api/v1/namespaces/${namespace}/events`, {
      metadata: { generateName: `${pod.name}.`, namespace },
      involvedObject: {
        ...{ apiVersion: 'v1', kind: 'Pod', namespace, name: pod.name, uid: pod.uid },
        ...(container === undefined ? {} : { fieldPath: `spec.containers{${container}}` }),
      },
      ...{ reason, message, type: 'Warning', count, source: { component: 'kubelet' } },
      ...{ firstTimestamp: stamp(firstAt), lastTimestamp: stamp(lastAt) },
    });
  }

  async #helm(...words: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.lab.helm(...words);
    if (exitCode !== 0) throw new Error(stderr);
    return stdout;
  }
}

/** @throws Error with what is said where there is no answer */
export function valueOf<T>(answer: Answer<T>): T {
  if (answer.kind === 'present') return answer.value;
  throw new Error(answer.kind === 'unknown' ? answer.because : 'absent');
}

export const ago = (seconds: number): Date => new Date(Date.now() - seconds * 1000);

/** Of Kubernetes: whole seconds. */
export const stamp = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;

/** A template of pods with one container of the name. */
export const podTemplate = (app: string, spec: Fields = {}): Fields => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: app, image: `registry.home.lab/${app}:1` }], ...spec },
});

/** Scheduled by nobody: what a test writes into the status of such a pod stays. */
export const UNTOUCHED: Fields = { schedulerName: 'nobody' };

export const deployment = (name: string, pod: Fields = {}, spec: Fields = {}): Fields => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: { selector: { matchLabels: { app: name } }, template: podTemplate(name, pod), ...spec },
});

export const statefulSet = (name: string, pod: Fields = {}, spec: Fields = {}): Fields => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name },
  spec: {
    serviceName: name,
    selector: { matchLabels: { app: name } },
    template: podTemplate(name, pod),
    ...spec,
  },
});

export const configMap = (name: string, data: Fields, metadata: Fields = {}): Fields => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});
