interface Stage {
  name: string;
  kind: 'Node' | 'Pod';
  /** All of them hold: a jq expression, how it is compared, and with what. */
  when: readonly (readonly [
    key: string,
    operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist',
    value?: string,
  ])[];
  then: { statusTemplate: string } | { delete: true };
}

const READY = '.status.conditions.[] | select(.type == "Ready") | .status';
const DELETED = '.metadata.deletionTimestamp';

const NODE_STATUS = `
{{ $now := Now | Quote }}
conditions:
- { type: Ready, status: "True", reason: KubeletReady, message: kubelet is posting ready status,
    lastHeartbeatTime: {{ $now }}, lastTransitionTime: {{ $now }} }
- { type: MemoryPressure, status: "False", reason: KubeletHasSufficientMemory,
    message: kubelet has sufficient memory available, lastHeartbeatTime: {{ $now }}, lastTransitionTime: {{ $now }} }
- { type: DiskPressure, status: "False", reason: KubeletHasNoDiskPressure,
    message: kubelet has no disk pressure, lastHeartbeatTime: {{ $now }}, lastTransitionTime: {{ $now }} }
- { type: PIDPressure, status: "False", reason: KubeletHasSufficientPID,
    message: kubelet has sufficient PID available, lastHeartbeatTime: {{ $now }}, lastTransitionTime: {{ $now }} }
`;

const POD_RUNNING = `
{{ $now := Now | Quote }}
phase: Running
startTime: {{ $now }}
conditions:
- { type: Initialized, status: "True", lastTransitionTime: {{ $now }} }
- { type: ContainersReady, status: "True", lastTransitionTime: {{ $now }} }
- { type: Ready, status: "True", lastTransitionTime: {{ $now }} }
initContainerStatuses:
{{ range .spec.initContainers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  restartCount: 0
  state: { terminated: { exitCode: 0, reason: Completed, startedAt: {{ $now }}, finishedAt: {{ $now }} } }
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  started: true
  restartCount: 0
  state: { running: { startedAt: {{ $now }} } }
{{ end }}
{{ range $index, $address := NodeIPsWith .spec.nodeName }}
{{ if eq $index 0 }}hostIP: {{ $address | Quote }}{{ end }}
{{ end }}
{{ range $index, $address := PodIPsWith .spec.nodeName (or .spec.hostNetwork false) .metadata.uid .metadata.name .metadata.namespace }}
{{ if eq $index 0 }}podIP: {{ $address | Quote }}{{ end }}
{{ end }}
`;

const POD_SUCCEEDED = `
{{ $now := Now | Quote }}
phase: Succeeded
conditions:
- { type: ContainersReady, status: "False", reason: PodCompleted, lastTransitionTime: {{ $now }} }
- { type: Ready, status: "False", reason: PodCompleted, lastTransitionTime: {{ $now }} }
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: false
  restartCount: 0
  state: { terminated: { exitCode: 0, reason: Completed, startedAt: {{ $now }}, finishedAt: {{ $now }} } }
{{ end }}
`;

/** Whether an image is named as one that nobody has: `registry.home.lab/missing/web:1`. */
const IS_MISSING = '[.spec.containers[].image | contains("/missing/")] | any | tostring';

const POD_UNPULLABLE = `
{{ $now := Now | Quote }}
phase: Pending
startTime: {{ $now }}
conditions:
- { type: ContainersReady, status: "False", reason: ContainersNotReady, lastTransitionTime: {{ $now }} }
- { type: Ready, status: "False", reason: ContainersNotReady, lastTransitionTime: {{ $now }} }
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: false
  restartCount: 0
  state: { waiting: { reason: ImagePullBackOff, message: {{ printf "Back-off pulling image %q" .image | Quote }} } }
{{ end }}
`;

/** How nodes and pods go on, as a kubelet would have them go on: nodes become ready, pods run, those of jobs succeed. Images of
 * `missing` cannot be pulled. */
const STAGES: readonly Stage[] = [
  {
    name: 'node-ready',
    kind: 'Node',
    when: [[READY, 'NotIn', 'True']],
    then: { statusTemplate: NODE_STATUS },
  },
  {
    name: 'pod-running',
    kind: 'Pod',
    when: [
      [DELETED, 'DoesNotExist'],
      ['.status.phase', 'In', 'Pending'],
      [IS_MISSING, 'In', 'false'],
    ],
    then: { statusTemplate: POD_RUNNING },
  },
  {
    name: 'pod-unpullable',
    kind: 'Pod',
    when: [
      [DELETED, 'DoesNotExist'],
      ['.status.phase', 'In', 'Pending'],
      ['.status.containerStatuses', 'DoesNotExist'],
      [IS_MISSING, 'In', 'true'],
    ],
    then: { statusTemplate: POD_UNPULLABLE },
  },
  {
    name: 'pod-succeeded',
    kind: 'Pod',
    when: [
      [DELETED, 'DoesNotExist'],
      ['.status.phase', 'In', 'Running'],
      ['.metadata.ownerReferences.[].kind', 'In', 'Job'],
    ],
    then: { statusTemplate: POD_SUCCEEDED },
  },
  { name: 'pod-gone', kind: 'Pod', when: [[DELETED, 'Exists']], then: { delete: true } },
];

/** kwok's configuration file. Without any stage it ends at once. */
export function kwokConfiguration(): string {
  return STAGES.map(({ name, kind, when, then }) =>
    JSON.stringify({
      apiVersion: 'kwok.x-k8s.io/v1alpha1',
      kind: 'Stage',
      metadata: { name },
      spec: {
        resourceRef: { apiGroup: 'v1', kind },
        selector: {
          matchExpressions: when.map(([key, operator, value]) => ({
            key,
            operator,
            ...(value === undefined ? {} : { values: [value] }),
          })),
        },
        next: then,
      },
    }),
  ).join('\n---\n');
}
