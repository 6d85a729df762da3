import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const metadata = (name: string) => `{ name: "{{ .Release.Name }}${name}" }`;
const pod = (app: string, spec = '') => `
    metadata: { labels: { app: ${app} } }
    spec:
      containers: [{ name: main, image: "registry.home.lab/whole:{{ .Values.tag }}" }]${spec}`;
const workload = (kind: string, app: string, more: string, spec?: string) => `
apiVersion: apps/v1
kind: ${kind}
metadata: ${metadata(`-${app}`)}
spec:
  selector: { matchLabels: { app: ${app} } }
  template: ${pod(app, spec)}
${more}`;

/** Each of a kind. With `broken`, the pods of the stateful set are nobody's to schedule. */
const OBJECTS = [
  workload('Deployment', 'web', '  replicas: 2'),
  workload('DaemonSet', 'agent', ''),
  workload(
    'StatefulSet',
    'store',
    `  serviceName: store
  volumeClaimTemplates:
    - metadata: { name: data }
      spec: { accessModes: [ReadWriteOnce], storageClassName: '', resources: { requests: { storage: 1Mi } } }`,
    '\n      {{- if .Values.broken }}\n      schedulerName: nobody\n      {{- end }}',
  ),
  `
apiVersion: batch/v1
kind: Job
metadata: { name: "{{ .Release.Name }}-job-{{ .Values.tag }}" }
spec:
  template:
    spec: { restartPolicy: Never, containers: [{ name: main, image: registry.home.lab/whole }] }`,
  `
apiVersion: batch/v1
kind: Job
metadata:
  name: "{{ .Release.Name }}-hook"
  annotations: { helm.sh/hook: 'pre-install,pre-upgrade', helm.sh/hook-delete-policy: before-hook-creation }
spec:
  template:
    spec: { restartPolicy: Never, containers: [{ name: main, image: registry.home.lab/whole }] }`,
  `
apiVersion: batch/v1
kind: CronJob
metadata: ${metadata('')}
spec:
  schedule: '0 0 1 1 *'
  jobTemplate:
    spec:
      template:
        spec: { restartPolicy: Never, containers: [{ name: main, image: registry.home.lab/whole }] }`,
  `
apiVersion: v1
kind: Service
metadata: ${metadata('')}
spec: { type: NodePort, selector: { app: web }, ports: [{ port: 80 }] }`,
  `
apiVersion: v1
kind: ConfigMap
metadata: ${metadata('')}
data: { tag: "{{ .Values.tag }}" }`,
  `
apiVersion: v1
kind: Secret
metadata: ${metadata('')}
stringData: { tag: "{{ .Values.tag }}" }`,
  `
apiVersion: v1
kind: ServiceAccount
metadata: ${metadata('')}`,
  `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: ${metadata('')}
spec: { accessModes: [ReadWriteOnce], storageClassName: late, resources: { requests: { storage: 1Mi } } }`,
  `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: ${metadata('')}
spec: { defaultBackend: { service: { name: "{{ .Release.Name }}", port: { number: 80 } } } }`,
  `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: ${metadata('')}
spec: { podSelector: {} }`,
  `
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: ${metadata('')}
spec: { maxUnavailable: 1, selector: { matchLabels: { app: web } } }`,
  `
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: ${metadata('')}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: "{{ .Release.Name }}-web" }
  maxReplicas: 2`,
];

/** A chart with every kind of object that charts have which grant no rights, with a hook, and with the values tag and broken. */
export function writeWholeChart(directory: string): void {
  mkdirSync(join(directory, 'templates'), { recursive: true });
  const about = { apiVersion: 'v2', name: 'whole', version: '0.1.0' };
  writeFileSync(join(directory, 'Chart.yaml'), JSON.stringify(about));
  writeFileSync(join(directory, 'values.yaml'), JSON.stringify({ tag: '1', broken: false }));
  writeFileSync(join(directory, 'templates/all.yaml'), OBJECTS.join('\n---\n'));
}

const GRANTING = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: ${metadata('')}
rules: [{ apiGroups: [''], resources: [secrets], verbs: ['*'] }]
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: panels.lab.example }
spec:
  group: lab.example
  scope: Namespaced
  names: { kind: Panel, plural: panels }
  versions:
    - { name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object } } }
---
apiVersion: v1
kind: ConfigMap
metadata: ${metadata('')}`;

/** A chart that grants rights, and brings a kind of its own. */
export function writeGrantingChart(directory: string): void {
  mkdirSync(join(directory, 'templates'), { recursive: true });
  const about = { apiVersion: 'v2', name: 'granting', version: '0.1.0' };
  writeFileSync(join(directory, 'Chart.yaml'), JSON.stringify(about));
  writeFileSync(join(directory, 'templates/all.yaml'), GRANTING);
}
